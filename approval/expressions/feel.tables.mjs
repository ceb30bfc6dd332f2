// Decision tables: which rules match, and what their hit policy makes of that.
import { plain } from "./feel.roots.mjs";
import { ASTRAY } from "./feel.types.mjs";

const TEMPORAL = /date|time|duration/i;
const AGGREGATORS = {
  SUM: (values) => values.reduce((sum, each) => sum + each, 0),
  MIN: (values) => Math.min(...values),
  MAX: (values) => Math.max(...values),
};
const same = (value) => JSON.stringify(plain(value));

export class Refused extends Error {
  constructor(facts) {
    super(facts.why);
    this.facts = facts;
  }
}

export function table(logic, scope, run) {
  const { id, inputs, rules } = logic;
  const columns = inputs.map((input) => column(input, scope, run));
  const asked = () => Object.fromEntries(inputs.map(({ text }, at) => [text, plain(columns[at]["?"])]));
  const outside = inputs.flatMap(({ text, allowed }, at) => (run.holds(allowed, columns[at]) ? [] : [text]));
  if (outside.length) {
    throw new Refused({ why: "an input is outside its allowed values", asked: asked(), inputs: outside });
  }
  const hits = [];
  for (const rule of rules) {
    if (rule.tests.every((cell, at) => cell === null || run.holds(cell, columns[at]))) {
      hits.push({ rule, values: rule.outputs.map((cell) => run.text(cell, scope)) });
    }
  }
  const settled = settle(logic, ranked(logic, hits, run), { scope, run, asked });
  const decision = logic.owner ?? run.at.at(-1);
  run.rows.push(...settled.hits.map(({ rule }) => ({ id: rule.id, annotation: rule.annotation, decision })));
  return settled.value;
}

// A date comes as ISO 8601 text; a column that says what it holds may be asked as such.
function column({ text, type }, scope, run) {
  const asked = run.text(text, scope);
  const read = typeof asked === "string" && type && TEMPORAL.test(type) ? run.model.types.conform(type, asked) : asked;
  return { ...scope, "?": read === ASTRAY ? asked : read };
}

function ranked({ policy, outputs }, hits, run) {
  if (policy !== "PRIORITY" && policy !== "OUTPUT ORDER") return hits;
  const orders = outputs.map((output) => (output.order ??= output.values ? run.text(`[${output.values}]`, {}).map(same) : []));
  const rank = (order, value) => (order.includes(same(value)) ? order.indexOf(same(value)) : order.length);
  const compare = (one, other) =>
    orders.reduce((found, order, at) => found || rank(order, one.values[at]) - rank(order, other.values[at]), 0);
  return [...hits].sort(compare);
}

function settle({ policy, aggregator, outputs, many }, hits, { scope, run, asked }) {
  const shaped = (values) =>
    outputs.length === 1 ? values[0] : Object.fromEntries(outputs.map(({ name }, at) => [name, values[at]]));
  const values = hits.map((hit) => shaped(hit.values));
  const refuse = (why, more = {}) => {
    throw new Refused({ why, asked: asked(), ...more });
  };
  const named = { rules: hits.map(({ rule }) => rule.id) };
  const defaults = () => shaped(outputs.map((output) => run.text(output.default, scope)));
  if (!hits.length && outputs.every((output) => output.default !== null)) {
    return { value: many ? [defaults()] : defaults(), hits };
  }
  if (many) return { value: values, hits };
  if (aggregator === "COUNT") return { value: values.length, hits };
  if (!hits.length) refuse("no rule matches");
  if (policy === "UNIQUE" && hits.length > 1) refuse("rules overlap", named);
  if (policy === "ANY" && values.some((value) => same(value) !== same(values[0]))) refuse("rules disagree", named);
  if (policy !== "COLLECT") return { value: values[0], hits: policy === "ANY" ? hits : hits.slice(0, 1) };
  if (values.some((value) => typeof value !== "number")) refuse(`${aggregator} needs numbers`);
  return { value: AGGREGATORS[aggregator](values), hits };
}
