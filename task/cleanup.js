'use strict';
// What the agent runs after the job. Without a binary the step has left nothing behind, so its absence is only a warning.
require('./launch').launch('cleanup', 'warning');
