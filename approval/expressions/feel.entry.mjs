// The JavaScript half of feel.py: compile once, evaluate often, speak JSON. Bundled by deploy/assets.mjs.
import { getType, interpreter, InterpreterContext } from "feelin";

const ROOMY = 4000; // compiled roots kept; then all are forgotten, which costs one compilation each
const PLAIN = new Set(["nil", "boolean", "string"]);
const TEMPORAL = new Set(["date", "time", "date time", "duration"]);
const roots = new Map();
const tables = new Map();

function compiled(kind, expression, context, names) {
  const key = `${kind}${names}\n${expression}`;
  let entry = roots.get(key);
  if (!entry) {
    if (roots.size >= ROOMY) roots.clear();
    const scope = new InterpreterContext();
    entry = { scope, root: interpreter[kind](expression, context, undefined, scope).root };
    roots.set(key, entry);
  }
  entry.scope.warnings.length = 0;
  return entry;
}

// The parser resolves names by what the context holds, so the shape of the context is part of the key.
function shape(value) {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shape))].sort()}]`;
  if (value === null || typeof value !== "object") return "";
  return `{${Object.keys(value).sort().map((name) => JSON.stringify(name) + shape(value[name]))}}`;
}

function plain(value) {
  const type = getType(value);
  if (PLAIN.has(type)) return value ?? null;
  if (type === "number" && Number.isFinite(value)) return value;
  if (TEMPORAL.has(type)) return String(value);
  if (type === "list") return value.map(plain);
  if (type === "context") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  throw new Error(`the result is a ${type}, which is not a value`);
}

function value(expression, context, names) {
  const { root, scope } = compiled("evaluate", expression, context, names);
  return { value: root(context), warnings: scope.warnings };
}

globalThis.evaluate = (expression, json) => {
  const context = JSON.parse(json);
  const found = value(expression, context, shape(context));
  return JSON.stringify({ value: plain(found.value), warnings: found.warnings.map((warning) => warning.message) });
};

globalThis.test = (tests, json) => {
  const context = JSON.parse(json);
  const { root } = compiled("unaryTest", tests, context, shape(context));
  return JSON.stringify(root(context)(context["?"] ?? null) === true);
};

globalThis.check = (kind, expression) => {
  const { parseTree } = interpreter[kind](expression, {}, undefined, new InterpreterContext());
  parseTree.iterate({
    enter({ name, from, to }) {
      const clock = name === "FunctionInvocation" && expression.slice(from, to).match(/^(now|today)\s*\(/);
      if (clock) throw new Error(`${clock[1]}() reads the clock; give the date as a fact instead`);
    },
  });
};

globalThis.learn = (key, json) => {
  tables.set(key, JSON.parse(json));
};

// One call decides a whole table: which rules match, and what each of them puts out.
globalThis.decide = (key, json) => {
  const { inputs, rules, defaults } = tables.get(key);
  const context = JSON.parse(json);
  const names = shape(context);
  const columns = inputs.map(({ expression }) => {
    const asked = value(expression, context, names).value ?? null;
    return { asked, scope: { ...context, "?": asked }, names: `${names}?${getType(asked)}${shape(plain(asked))}` };
  });
  const holds = (cell, { asked, scope, names }) =>
    cell === null || compiled("unaryTest", cell, scope, names).root(scope)(asked) === true;
  const put = (cell) => plain(value(cell, context, names).value);

  const outside = inputs.flatMap(({ allowed }, index) => (holds(allowed, columns[index]) ? [] : [index]));
  const matched = rules.flatMap(({ tests, outputs }, rule) =>
    tests.every((cell, column) => holds(cell, columns[column])) ? [{ rule, outputs: outputs.map(put) }] : [],
  );
  const asked = columns.map((column) => plain(column.asked));
  return JSON.stringify({ matched, outside, asked, defaults: matched.length ? [] : defaults.map(put) });
};
