// Whole decisions in one call: tables, boxed expressions and the graph of what a decision needs.
import { FeelFunction, getType, isInvocationFailure, wrapFunction } from "feelin";
import { build, heard, plain, simple } from "./feel.roots.mjs";
import { Refused, table } from "./feel.tables.mjs";
import { ASTRAY, shelf, Types } from "./feel.types.mjs";

const SHELVED = 500; // models kept; whoever asks for a forgotten one teaches it again
const models = new Map();

export const learn = (key, json) => {
  if (models.size >= SHELVED) models.clear();
  models.set(key, new Model(JSON.parse(json)));
};

// Which of the model's texts do not parse, and why.
export const inspect = (key, json) => {
  const model = models.get(key);
  if (!model) return null;
  const judged = JSON.parse(json).map(([kind, text]) => {
    try {
      model.root(kind, text);
      return null;
    } catch (problem) {
      return problem.message;
    }
  });
  return JSON.stringify(judged);
};

export const decide = (key, id, json) => {
  const model = models.get(key);
  if (!model) return null;
  heard.warnings.length = 0;
  const run = new Run(model, JSON.parse(json));
  try {
    const value = plain(model.services[id] ? run.service(id) : run.decision(id));
    const rows = run.rows.filter((row) => row.decision === id);
    rows.push(...run.rows.filter((row) => row.decision !== id));
    return JSON.stringify({ value, rows });
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    return JSON.stringify({ refused: { decision: run.at.at(-1) ?? id, ...problem.facts } });
  }
};

class Model {
  #roots = { evaluate: new Map(), unaryTest: new Map() };

  constructor({ types, inputs, decisions, knowledge, services, names }) {
    for (const [name, found] of Object.entries({ inputs, decisions, knowledge, services })) this[name] = shelf(found);
    this.types = new Types(types);
    const odd = names.filter(([name]) => !simple(name)).map(([name]) => [name, null]);
    const anything = odd.length ? Object.fromEntries(odd) : null;
    // Every name of the drawing, with what its parts may be called, so that each text is parsed once for all data.
    this.names = Object.fromEntries(names.map(([name, type]) => [name, this.types.sample(type) ?? anything]));
  }

  root(kind, text) {
    let root = this.#roots[kind].get(text);
    if (!root) this.#roots[kind].set(text, (root = build(kind, text, this.names)));
    return root;
  }
}

class Run {
  rows = [];
  at = [];
  #known = new Map();

  constructor(model, given) {
    this.model = model;
    this.given = shelf(given);
  }

  decision(id) {
    if (this.#known.has(id)) return this.#known.get(id);
    const { logic, type, needs } = this.model.decisions[id];
    const scope = this.#scope(needs);
    this.at.push(id);
    const found = this.conform(type, this.value(logic, scope));
    this.at.pop();
    this.#known.set(id, found);
    return found;
  }

  service(id, asked = {}) {
    const given = shelf(asked);
    const { outputs, inputs } = this.model.services[id];
    const inner = new Run(this.model, { ...this.given });
    inner.rows = this.rows;
    inner.at = this.at;
    for (const input of inputs) {
      const { name } = this.model.inputs[input] ?? this.model.decisions[input];
      const value = name in given ? given[name] : (this.given[name] ?? null);
      if (this.model.inputs[input]) inner.given[name] = value;
      else if (name in given || name in this.given) inner.#known.set(input, value);
    }
    const found = outputs.map((output) => [this.model.decisions[output].name, inner.decision(output)]);
    return found.length === 1 ? found[0][1] : Object.fromEntries(found);
  }

  value(logic, scope) {
    return KINDS[logic.kind](logic, scope, this);
  }

  text(text, scope) {
    return this.model.root("evaluate", text)(scope) ?? null;
  }

  holds(tests, scope) {
    return tests === null || this.model.root("unaryTest", tests)(scope)(scope["?"]) === true;
  }

  conform(type, value) {
    const found = this.model.types.conform(type, value);
    return found === ASTRAY ? null : found;
  }

  // What a decision sees: the data, over it what the decisions it needs found, and the functions it may call.
  #scope(needs) {
    const scope = { ...this.given };
    const named = {};
    for (const id of needs) {
      const { inputs, decisions, knowledge, services } = this.model;
      if (inputs[id]) named[inputs[id].name] = this.#input(inputs[id]);
      else if (decisions[id]) {
        const found = this.decision(id);
        named[decisions[id].name] = found;
        // Camunda's authors read a required decision by its id or by the names of its outputs.
        scope[id] = found;
        this.#outputs(decisions[id].logic, found, scope);
      } else if (knowledge[id]) named[knowledge[id].name] = this.#knowledge(id);
      else if (services[id]) named[services[id].name] = this.#callable(id);
    }
    return Object.assign(scope, named);
  }

  #outputs({ kind, outputs, many }, found, scope) {
    if (kind !== "table" || many) return;
    if (outputs.length === 1 && outputs[0].name) scope[outputs[0].name] = found;
    if (outputs.length > 1) Object.assign(scope, found);
  }

  #input({ name, type }) {
    const given = this.given[name] ?? null;
    const found = this.model.types.conform(type, given);
    if (found !== ASTRAY) return found;
    throw new Refused({ why: "an input is outside its allowed values or type", asked: { [name]: given }, inputs: [name] });
  }

  #knowledge(id) {
    if (this.#known.has(id)) return this.#known.get(id);
    const { name, needs, logic } = this.model.knowledge[id];
    const scope = {};
    const made = this.value(logic, scope);
    this.#known.set(id, made);
    Object.assign(scope, this.#scope(needs), { [name]: made });
    return made;
  }

  #callable(id) {
    const names = this.model.services[id].inputs.map(
      (input) => (this.model.inputs[input] ?? this.model.decisions[input]).name,
    );
    const call = (...values) => this.service(id, Object.fromEntries(names.map((name, at) => [name, values[at] ?? null])));
    return new FeelFunction(call, names);
  }
}

function list(value) {
  if (value === null || Array.isArray(value)) return value ?? [];
  return getType(value) === "range" ? value.map((item) => item) : [value];
}

const KINDS = {
  literal: ({ text }, scope, run) => run.text(text, scope),
  table,
  list: ({ items }, scope, run) => items.map((item) => run.value(item, scope)),
  relation: ({ columns, rows }, scope, run) =>
    rows.map((row) => Object.fromEntries(row.map((cell, at) => [columns[at], run.value(cell, scope)]))),
  context({ entries }, scope, run) {
    const found = {};
    for (const { name, type, logic } of entries) {
      const value = run.conform(type, run.value(logic, { ...scope, ...found }));
      if (name === null) return value;
      found[name] = value;
    }
    return found;
  },
  function({ parameters, body }, scope, run) {
    const call = (...values) => {
      const given = parameters.map(({ name, type }, at) => [name, run.conform(type, values[at])]);
      return run.value(body, Object.assign({ ...scope }, Object.fromEntries(given)));
    };
    return new FeelFunction(call, parameters.map(({ name }) => name));
  },
  invocation({ called, bindings }, scope, run) {
    const callable = wrapFunction(run.value(called, scope));
    if (!callable) return null;
    const found = callable.invoke(Object.fromEntries(bindings.map(({ name, logic }) => [name, run.value(logic, scope)])));
    return isInvocationFailure(found) ? null : (found ?? null);
  },
  if: (logic, scope, run) => run.value(run.value(logic.if, scope) === true ? logic.then : logic.else, scope),
  for({ variable, among, body }, scope, run) {
    const partial = [];
    for (const item of list(run.value(among, scope))) {
      partial.push(run.value(body, { ...scope, [variable]: item, partial: [...partial] }));
    }
    return partial;
  },
  some: ({ variable, among, body }, scope, run) =>
    list(run.value(among, scope)).some((item) => run.value(body, { ...scope, [variable]: item }) === true),
  every: ({ variable, among, body }, scope, run) =>
    list(run.value(among, scope)).every((item) => run.value(body, { ...scope, [variable]: item }) === true),
  filter: ({ among, body }, scope, run) =>
    list(run.value(among, scope)).filter((item) => {
      const parts = getType(item) === "context" ? item : {};
      return run.value(body, { ...scope, ...parts, item }) === true;
    }),
};
