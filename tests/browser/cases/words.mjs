// English and Portuguese, whole: the switch, the language of the document, words of the API, numbers, months and countries.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { loaded, openPage, personPage, theDemo, until, visit } from "../support.mjs";

const { base, api } = await theDemo();

const messages = (language) =>
  Object.fromEntries(
    [...readFileSync(`../../libs/messages/locales/${language}/page.ftl`, "utf8").matchAll(/^([a-z0-9-]+) = (.+)$/gm)].map(([, id, text]) => [id, text]),
  );

test("the page speaks the browser's language until another is chosen, and keeps that", async () => {
  const { page, faults, close } = await openPage(base, { locale: "pt-PT" });
  assert.equal(await page.locator("html").getAttribute("lang"), "pt");
  await page.locator("[data-role=global_admin]").click();
  await page.locator("[data-testid=who]").waitFor();
  await visit(page, base, "/customers");
  const { words } = await api("global_admin", "pt").getWords({});
  const word = (key) => words.find((entry) => entry.key === key).text;
  assert.equal(await page.locator("h1").textContent(), word("PAGE_CUSTOMERS"));
  for (const figure of ["CUSTOMERS", "CUSTOMERS_ADDED", "NET_ADDED", "LAST_MONTH_CHURN"]) {
    assert.equal(await page.locator(`[data-figure=${figure}] h2 button.term`).textContent(), word(`FIGURE_${figure}`));
  }
  await page.getByRole("link", { name: "Alemanha" }).first().waitFor();
  await page.getByLabel("Idioma").selectOption("en");
  await page.locator("html[lang=en]").waitFor();
  await page.getByRole("link", { name: "Germany" }).first().waitFor();
  await page.reload();
  await loaded(page);
  assert.equal(await page.locator("h1").textContent(), "Customers");
  assert.deepEqual(faults, []);
  await close();
});

test("no English is left on a Portuguese page", async () => {
  const english = messages("en");
  const portuguese = messages("pt");
  // Words that both languages share say nothing.
  const telling = Object.entries(english)
    .filter(([id, text]) => !text.includes("{") && text.length > 9 && portuguese[id] !== text)
    .map(([, text]) => text);
  assert.ok(telling.length > 100);
  const { page, faults, close } = await personPage(base, "global_admin", { locale: "pt-BR" });
  const paths = ["/", "/customers", "/dynamics-usage", "/licence-adoption", "/subscriptions", "/downloads", "/data-health", "/glossary", "/audit", "/nowhere"];
  for (const path of paths) {
    await page.goto(base + path);
    await page.locator("main h1").waitFor();
    await until(async () => (await page.locator("[aria-busy=true], .ghost").count()) === 0, `${path} is there`);
    // Ids of the API are the same in every language.
    const textWithout = (parts) =>
      page.evaluate((left) => {
        const body = document.body.cloneNode(true);
        body.querySelectorAll(left).forEach((part) => part.remove());
        return body.textContent;
      }, parts);
    const text = await textWithout("code, pre");
    const left = telling.filter((words) => text.includes(words));
    assert.deepEqual(left, [], path);
    // Definitions name standings as the API does.
    const shown = path === "/audit" || path === "/glossary" ? "" : await textWithout("code, pre, [popover]");
    assert.ok(!/\b(ACTIVE|GRACE|true|false|undefined|NaN)\b/.test(shown), path);
  }
  assert.deepEqual(faults.filter((fault) => !fault.includes("404")), []);
  await close();
});

test("the glossary has every term with its worked examples, is searched, and is reached by its address", async () => {
  const { page, close } = await personPage(base, "sales_agent");
  const { terms } = await api("sales_agent").listGlossaryTerms({});
  await page.goto(`${base}/glossary`);
  await page.locator(".entry").first().waitFor();
  assert.equal(await page.locator(".entry").count(), terms.length);
  const examples = terms.reduce((sum, term) => sum + term.examples.length, 0);
  assert.equal(await page.locator(".entry .example").count(), examples);
  await page.getByLabel("Search Terminology").fill("yammer");
  const found = terms.filter((term) => [term.id, term.title, term.definition].some((part) => part.toLowerCase().includes("yammer")));
  await until(async () => (await page.locator(".entry").count()) === found.length, "what was searched for");
  await close();
});
