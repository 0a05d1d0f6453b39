// Every page, role and interaction in a real browser, against one demo.
import { mkdirSync } from "node:fs";
import { after } from "node:test";

import { closeBrowser, stopDemo } from "./support.mjs";

mkdirSync("shots", { recursive: true });
after(async () => {
  await closeBrowser();
  await stopDemo();
});

for (const name of process.env.CASES?.split(",") ?? [
  "roles",
  "first-view",
  "customers",
  "dynamics",
  "adoption",
  "subscriptions",
  "navigation",
  "downloads",
  "words",
  "safety",
  "delivery",
  "states",
  "sign-in",
]) {
  await import(`./cases/${name}.mjs`);
}
