// Ties the committed build to its sources: dist/sources.sha256 is the hash of what stands in this folder. The .proto files
// are left out: a page built from older ones goes on working, because the API never breaks.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => files(join(path, name)));
}

const sources = [
  ...["../../../libs/messages/locales/en/page.ftl", "../../../libs/messages/locales/pt/page.ftl", "index.html", "build", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "buf.gen.yaml", "public", "src"]
    .flatMap((name) => files(join(here, name)).map((path) => [relative(here, path), path])),
]
  .filter(([name]) => !name.startsWith("src/gen/"))
  .sort(([a], [b]) => (a < b ? -1 : 1));

const hash = createHash("sha256");
for (const [name, path] of sources) {
  const body = readFileSync(path);
  hash.update(`${name}\0${body.length}\0`).update(body);
}
const stamp = `${hash.digest("hex")}\n`;
const file = join(here, "dist/sources.sha256");

if (process.argv[2] === "write") {
  writeFileSync(file, stamp);
} else if (readFileSync(file, "utf8") !== stamp) {
  console.error("dist was not built from these sources: run `npm install --no-save && npm run build` in services/reporting/ui");
  process.exit(1);
}
