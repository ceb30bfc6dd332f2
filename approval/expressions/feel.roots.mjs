// Compiling FEEL once: the parser is asked only when an expression, or the unusual names it may use, are new.
import { getType, interpreter, InterpreterContext } from "feelin";

const ROOMY = 4000; // compiled roots kept; then all are forgotten, which costs one compilation each
const PLAIN = new Set(["nil", "boolean", "string"]);
const TEMPORAL = new Set(["date", "time", "date time", "duration"]);
const SIMPLE = /^[A-Za-z_\u3400-\u9fff][A-Za-z0-9_\u3400-\u9fff]*$/;
const RESERVED = new Set(
  "for in return if then else some every satisfies or and between instance of days time duration years months date list context function null true false external not".split(" "),
);
const shelves = new Map();
const words = new Set();
let kept = 0;

// What the last evaluation warned about, mostly names that nobody gave.
export const heard = new InterpreterContext();

export function build(kind, expression, names) {
  const { parseTree, root } = interpreter[kind](expression, names, undefined, heard);
  parseTree.iterate({
    enter({ name, from, to }) {
      const clock = name === "FunctionInvocation" && expression.slice(from, to).match(/^(now|today)\s*\(/);
      if (clock) throw new Error(`${clock[1]}() reads the clock; give the date as a fact instead`);
      // The parser would stop at the letter and leave the rest away.
      const cut = name === "NumericLiteral" && expression.slice(from).match(/^[\d.]*[eE][+-]?\d+/);
      if (cut) throw new Error(`${cut[0]} is not a number; write it out, without an exponent`);
    },
  });
  return root;
}

// A name that is one word parses alike whether the context has it or not; only the others are known to the parser.
export function simple(name) {
  if (words.has(name)) return true;
  if (!SIMPLE.test(name) || RESERVED.has(name)) return false;
  if (words.size >= ROOMY) words.clear();
  words.add(name);
  return true;
}

export function unusual(value) {
  if (value === null || typeof value !== "object") return null;
  let found = null;
  if (Array.isArray(value)) {
    const shapes = new Map();
    for (const item of value) {
      const inner = unusual(item);
      if (inner) shapes.set(JSON.stringify(inner), inner);
    }
    return shapes.size ? [...shapes.values()] : null;
  }
  for (const name in value) {
    const inner = unusual(value[name]);
    if (inner || !simple(name)) (found ??= {})[name] = inner;
  }
  return found;
}

export function compiled(kind, expression, context) {
  const names = unusual(context);
  const place = names ? kind + JSON.stringify(names) : kind;
  if (kept >= ROOMY) {
    shelves.clear();
    kept = 0;
  }
  let shelf = shelves.get(place);
  if (!shelf) shelves.set(place, (shelf = new Map()));
  let root = shelf.get(expression);
  if (!root) {
    shelf.set(expression, (root = build(kind, expression, names ?? {})));
    kept += 1;
  }
  heard.warnings.length = 0;
  return root;
}

export function plain(value) {
  const type = getType(value);
  if (PLAIN.has(type)) return value ?? null;
  if (type === "number" && Number.isFinite(value)) return value;
  if (TEMPORAL.has(type)) return String(value);
  if (type === "list") return value.map(plain);
  if (type === "context") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  throw new Error(`the result is a ${type}, which is not a value`);
}
