// DMN's types: what a value must be, and the ISO 8601 text that JSON carries in place of dates and durations.
import { dateAndTime, duration, getType, parseDate, parseDateTime, parseTime } from "feelin";
import { build } from "./feel.roots.mjs";

const NUMBERS = ["number", "integer", "long", "double", "float", "decimal", "short", "int"];
const NAMES = {
  ...Object.fromEntries(NUMBERS.map((name) => [name, "number"])),
  string: "string",
  boolean: "boolean",
  date: "date",
  time: "time",
  "date and time": "date time",
  dateTime: "date time",
  datetime: "date time",
  duration: "duration",
  "days and time duration": "duration",
  dayTimeDuration: "duration",
  "years and months duration": "duration",
  yearMonthDuration: "duration",
  context: "context",
  list: "list",
  function: "function",
};
// What strangers name may be called `constructor`, which every plain object has.
export const shelf = (found) => Object.assign(Object.create(null), found);
const READ = { date: parseDate, time: parseTime, "date time": parseDateTime, duration };

// What does not conform; null is a value that always does.
export const ASTRAY = Symbol("astray");

const named = (type) => (Object.hasOwn(NAMES, type) ? NAMES[type] : null);

export class Types {
  constructor(types) {
    this.types = shelf(types);
  }

  find(type) {
    if (type === null || typeof type === "object") return type;
    return this.types[type] ?? named(type.replace(/^feel:/, ""));
  }

  // What the parser must know of a value of this type: the names of its parts, as deep as the drawing goes.
  sample(type, deep = 6) {
    const found = this.find(type);
    if (!found || typeof found === "string" || deep === 0) return null;
    if (!found.components) return this.sample(found.base, deep - 1);
    return Object.fromEntries(
      Object.entries(found.components).map(([name, part]) => [name, this.sample(part, deep - 1)]),
    );
  }

  conform(type, value) {
    if (value === null || value === undefined) return null;
    const found = this.find(type);
    if (!found) return value;
    if (typeof found === "string") return this.#basic(found, value);
    if (!found.list) return this.#single(found, value);
    const items = (Array.isArray(value) ? value : [value]).map((item) => this.#single(found, item));
    return items.includes(ASTRAY) ? ASTRAY : items;
  }

  #basic(name, value) {
    if (name === "list") return Array.isArray(value) ? value : [value];
    if (Array.isArray(value)) return value.length === 1 ? this.#basic(name, value[0]) : ASTRAY;
    const type = getType(value);
    if (type === name) return value;
    if (type === "string" && Object.hasOwn(READ, name)) {
      const read = READ[name](value);
      return read && getType(read) === name ? read : ASTRAY;
    }
    return type === "date" && name === "date time" ? dateAndTime(`${value}T00:00:00Z`) : ASTRAY;
  }

  #single(type, value) {
    if (value === null || value === undefined) return null;
    if (!type.list && Array.isArray(value) && value.length === 1) value = value[0];
    const found = type.components ? this.#parts(type.components, value) : this.conform(type.base, value);
    if (found === ASTRAY || !type.allowed) return found;
    type.test ??= build("unaryTest", type.allowed, {});
    return type.test({ "?": found })(found) === true ? found : ASTRAY;
  }

  #parts(components, value) {
    if (getType(value) !== "context") return ASTRAY;
    const parts = { ...value };
    for (const [name, type] of Object.entries(components)) {
      if (!(name in parts)) continue;
      parts[name] = this.conform(type, parts[name]);
      if (parts[name] === ASTRAY) return ASTRAY;
    }
    return parts;
  }
}
