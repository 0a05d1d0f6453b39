// Writes src/gen/messages.ts: the page's own words out of the product's Fluent files. A message that a language lacks, that takes
// other values there, or that the page never says, ends the build.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { parse } from "@fluent/syntax";

const ui = join(dirname(fileURLToPath(import.meta.url)), "..");
const locales = join(ui, "../../../libs/messages/locales");
const LANGUAGES = ["en", "pt"];

const faults = [];
const camel = (id) => id.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** A pattern as a template literal, and the values that it takes: texts, or numbers that choose a form. */
function written(pattern, where, values) {
  const parts = pattern.elements.map((element) => {
    if (element.type === "TextElement") return element.value.replace(/[`\\]|\$\{/g, "\\$&");
    const { expression } = element;
    if (expression.type === "StringLiteral") return expression.value;
    if (expression.type === "VariableReference") {
      if (!values.has(expression.id.name)) values.set(expression.id.name, "string");
      return `\${v.${expression.id.name}}`;
    }
    if (expression.type === "SelectExpression" && expression.selector.type === "VariableReference") {
      const name = expression.selector.id.name;
      values.set(name, "number");
      const one = expression.variants.find((variant) => variant.key.name === "one");
      const other = expression.variants.find((variant) => variant.default);
      return `\${v.${name} === 1 ? ${literal(one.value, where, values)} : ${literal(other.value, where, values)}}`;
    }
    faults.push(`${where}: only values and the forms one and other can be said`);
    return "";
  });
  return parts.join("");
}

const literal = (pattern, where, values) => `\`${written(pattern, where, values).replace(/\s*\n\s*/g, " ")}\``;

function read(language) {
  const messages = new Map();
  for (const entry of parse(readFileSync(join(locales, language, "page.ftl"), "utf8"), {}).body) {
    if (entry.type === "Junk") faults.push(`${language}/page.ftl: cannot be read: ${entry.content.trim()}`);
    if (entry.type !== "Message") continue;
    const values = new Map();
    const where = `${language}/page.ftl: ${entry.id.name}`;
    if (messages.has(entry.id.name)) faults.push(`${where}: twice`);
    messages.set(entry.id.name, { text: literal(entry.value, where, values), values });
  }
  return messages;
}

const shape = ({ values }) => [...values].map(([name, type]) => `${name}: ${type === "number" ? "number" : "string | number"}`).sort().join("; ");
const all = LANGUAGES.map((language) => [language, read(language)]);
const [, english] = all[0];
for (const [language, messages] of all.slice(1)) {
  for (const [id, message] of english) {
    const other = messages.get(id);
    if (!other) faults.push(`${language}/page.ftl: ${id} is missing`);
    else if ([...other.values.keys()].sort().join() !== [...message.values.keys()].sort().join()) faults.push(`${language}/page.ftl: ${id} takes other values`);
  }
  for (const id of messages.keys()) if (!english.has(id)) faults.push(`${language}/page.ftl: ${id} is in no other language`);
}

const sources = (path) => (statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => sources(join(path, name))) : [path]);
const said = sources(join(ui, "src"))
  .filter((path) => !path.includes("/gen/"))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");
for (const id of english.keys()) {
  if (!new RegExp(`[.]${camel(id)}\\b`).test(said)) faults.push(`page.ftl: nobody says ${id}`);
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}

const type = [...english].map(([id, message]) => `  ${camel(id)}: ${message.values.size ? `(v: { ${shape(message)} }) => string` : "string"};`);
const value = (messages) =>
  [...english.keys()].map((id) => {
    const { text } = messages.get(id);
    return `  ${camel(id)}: ${english.get(id).values.size ? `(v) => ${text}` : text},`;
  });
const parts = [
  "// Written by build/messages.mjs out of libs/messages/locales/*/page.ftl.",
  `export type Texts = {\n${type.join("\n")}\n};`,
  ...all.map(([language, messages]) => `const ${language}: Texts = {\n${value(messages).join("\n")}\n};`),
  `export const messages = { ${LANGUAGES.join(", ")} };`,
];
mkdirSync(join(ui, "src/gen"), { recursive: true });
writeFileSync(join(ui, "src/gen/messages.ts"), `${parts.join("\n\n")}\n`);
