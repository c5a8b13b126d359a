// Globals of Node in the peers' bundles. Outside a request workerd has no timers: what starts there runs at once or never.
let begun = false;

/// The first request is there.
export const begin = () => { begun = true; };

const { setTimeout: later, setInterval: often, clearTimeout: never, clearInterval: noMore } = globalThis;

export const setTimeout = (work, ...rest) => (begun ? later(work, ...rest) : work());
export const setInterval = (...all) => (begun ? often(...all) : 0);
export const clearTimeout = (timer) => { if (begun) never(timer); };
export const clearInterval = (timer) => { if (begun) noMore(timer); };
export const process = {
  argv: ["node", "gateway", "--headless"],
  env: { NODE_ENV: "production" },
  stdout: { write() {} },
  on() {},
  platform: "linux",
  versions: {},
};
