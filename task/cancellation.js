'use strict';
// How a step hears that the agent cancels it.
const WINDOWS = process.platform === 'win32';
const SIGNALS = WINDOWS ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];

/**
 * Listens to the agent's signals, which end this process by themselves no longer: `signal` is the first that came, `pass` what is
 * done with each, and `stop` leaves them to the system again.
 */
function listen() {
  const cancellation = { signal: undefined, pass: () => {}, stop: () => SIGNALS.forEach((name) => process.removeAllListeners(name)) };
  for (const name of SIGNALS) {
    process.on(name, () => {
      cancellation.signal ??= name;
      cancellation.pass(name);
    });
  }
  return cancellation;
}

module.exports = { listen };
