// The JavaScript half of feel.py and tables.py: compile once, evaluate often, speak JSON. Bundled by deploy/assets.mjs.
import { decide, inspect, learn } from "./feel.decisions.mjs";
import { build, compiled, heard, plain } from "./feel.roots.mjs";

globalThis.evaluate = (expression, json) => {
  const context = JSON.parse(json);
  const value = plain(compiled("evaluate", expression, context)(context));
  return JSON.stringify({ value, warnings: heard.warnings.map((warning) => warning.message) });
};

globalThis.test = (tests, json) => {
  const context = JSON.parse(json);
  return JSON.stringify(compiled("unaryTest", tests, context)(context)(context["?"] ?? null) === true);
};

globalThis.check = (kind, expression) => {
  build(kind, expression, {});
};

Object.assign(globalThis, { learn, inspect, decide });
