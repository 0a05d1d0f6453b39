// Writes dist/licences.txt: the licences of everything that is bundled into the page.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const pending = Object.keys(JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies);
const seen = new Set();
const texts = [];
while (pending.length > 0) {
  const name = pending.shift();
  if (seen.has(name)) continue;
  seen.add(name);
  const folder = join(here, "node_modules", name);
  if (!existsSync(folder)) continue;
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  pending.push(...Object.keys(about.dependencies ?? {}));
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => entry.name).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort();
  const bodies = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  texts.push(`${about.name} ${about.version} (${about.license})\n\n${bodies.join("\n\n")}`);
}
writeFileSync(join(here, "dist/licences.txt"), `${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
