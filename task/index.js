'use strict';
// What the agent runs for the step itself.
require('./launch').launch('task', 'error');
