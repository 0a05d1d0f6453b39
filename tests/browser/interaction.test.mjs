// What a person does on a page: ranges, filters, reasons, links, keyboard; and names that are markup.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { RangePreset } from "./gen/insights/reporting/v1/dashboards_pb.js";
import { client, insights, loaded, openPage, signIns, signInAs, startDemo } from "./support.mjs";

let demo;
let admin;
let browser;
let page;

before(async () => {
  demo = await startDemo(60);
  const tokens = await signIns(demo.base);
  admin = tokens.find((entry) => entry.role === "global_admin").token;
  browser = await openPage(demo.base);
  page = browser.page;
  await signInAs(page, "global_admin");
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const shown = (figure) => page.locator(`[data-figure=${figure}] [data-testid=value]`).textContent();
const plain = (text) => text.replaceAll(",", "");

test("a range chosen on the page stands in its address and in its figures", async () => {
  await page.goto(`${demo.base}/customers`);
  await loaded(page);
  await page.getByText("3 months", { exact: true }).click();
  await page.waitForURL(/range=3/);
  await loaded(page);
  const answer = await client(demo.base, admin).getCustomersDashboard({ page: { preset: RangePreset.THREE_MONTHS } });
  assert.equal(plain(await shown("CUSTOMERS_ADDED")), String(answer.totals.added));
  await page.goBack();
  await loaded(page);
  const year = await client(demo.base, admin).getCustomersDashboard({});
  assert.equal(plain(await shown("CUSTOMERS_ADDED")), String(year.totals.added));
});

test("a filter chosen in the dialog narrows every figure and can be taken away", async () => {
  await page.goto(`${demo.base}/customers`);
  await loaded(page);
  const whole = Number(plain(await shown("CUSTOMERS")));
  await page.getByLabel("Filter", { exact: true }).selectOption("country");
  const first = page.locator("dialog .values label").first();
  const [country, code] = [await first.locator("span").textContent(), await first.locator("small").textContent()];
  assert.ok(/^[A-Z]{2}$/.test(code) && country.length > 2, `${country} ${code}`);
  await first.click();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(new RegExp(`country=${code}`));
  await loaded(page);
  const row = page.getByRole("region", { name: "Customers by market, table" }).locator("tbody tr");
  assert.equal(await row.count(), 1);
  assert.ok((await row.textContent()).startsWith(country), "a market is called by its name");
  const narrowed = Number(plain(await shown("CUSTOMERS")));
  assert.ok(narrowed < whole, `${narrowed} of ${whole}`);
  assert.ok((await row.textContent()).includes(String(narrowed)));
  await page.getByRole("button", { name: `Remove the filter Market ${code}` }).click();
  await loaded(page);
  assert.equal(Number(plain(await shown("CUSTOMERS"))), whole);
});

test("a percentage shows what it is made of, and its reasons sum to the numerator", async () => {
  await page.goto(`${demo.base}/licence-adoption`);
  await loaded(page);
  const card = page.locator("[data-figure=USAGE_PERCENT_ENTITLEMENTS]");
  await card.locator("summary").click();
  const [numerator] = (await card.locator(".fraction").textContent()).split(" of ").map((text) => Number(plain(text)));
  const parts = await card.locator(".reasons td").allTextContents();
  const sum = parts.map((text) => Number(plain(text))).reduce((total, part) => total + part, 0);
  assert.equal(sum, numerator);
});

test("one customer is found by name and leaves with a click", async () => {
  await page.goto(`${demo.base}/licence-adoption`);
  await loaded(page);
  await page.getByRole("combobox", { name: "Customer" }).focus();
  const first = page.locator(".matches li:not(.clear) button").first();
  const name = (await first.textContent()).trim();
  await first.click();
  await page.waitForURL(/of=/);
  await loaded(page);
  const title = await page.locator("h1").textContent();
  assert.ok(name.startsWith(title.replace("Licence adoption · ", "")), `${title} for ${name}`);
  await page.getByRole("button", { name: "Show the whole portfolio" }).click();
  await page.waitForURL((url) => !url.search.includes("of="));
});

test("charts have their figures as tables", async () => {
  await page.goto(`${demo.base}/customers`);
  await loaded(page);
  await page.getByRole("button", { name: "Show table" }).first().click();
  const rows = page.getByRole("region", { name: "Customer adds and churns, table" }).locator("tbody tr");
  const answer = await client(demo.base, admin).getCustomersDashboard({});
  const figures = await rows.last().locator("td").allTextContents();
  const last = answer.movements.at(-1);
  const expected = [last.existingCustomers, last.newCustomers, last.churnedCustomers, last.returningCustomers];
  assert.deepEqual(figures.map(plain), expected.map(String));
});

test("the page can be used from the keyboard, and has its landmarks", async () => {
  await page.goto(`${demo.base}/customers`);
  await loaded(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  for (const role of ["banner", "navigation", "main"]) assert.equal(await page.getByRole(role).count(), 1, role);
  await page.getByLabel("Filter", { exact: true }).selectOption("segment");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
});

test("a bad range in the address is told with its field", async () => {
  await page.goto(`${demo.base}/customers?from=2020-01&to=2199-01`);
  await page.getByText("These filters cannot be answered").waitFor();
  assert.ok((await page.getByRole("alert").textContent()).includes("page.to_month"));
});

test("a token that is none leads back to the sign-in", async () => {
  const other = await openPage(demo.base);
  await other.page.getByLabel("paste a token").fill("not.a.token");
  await other.page.getByRole("button", { name: "Sign in" }).click();
  await other.page.getByRole("heading", { name: "Partner Insights" }).waitFor();
  assert.deepEqual(other.faults, []);
  await other.close();
});

test("names that are markup are shown and never interpreted", async (context) => {
  if (!demo.folder) return context.skip("needs a demo of its own");
  const product = "<img src=x onerror=\"document.title='owned'\">";
  const day = "2026-01-01";
  const records = [
    { kind: "sku", sku_id: "markup", name: product, product, services: ["Exchange"] },
    { kind: "customer", customer_id: "markup", name: product, country: "BR" },
    { kind: "subscription", subscription_id: "markup", customer_id: "markup", sku_id: "markup" },
    { kind: "subscription_state", subscription_id: "markup", effective: day, status: "active", seats: 3 },
  ];
  const file = join(demo.folder, "markup.ndjson");
  const token = join(demo.folder, "browser.token");
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join("\n"));
  writeFileSync(token, admin);
  await insights("import", "ndjson", file, "--server", demo.base, "--token-file", token);
  await page.goto(`${demo.base}/customers?customer=markup`);
  await loaded(page);
  assert.ok((await page.getByRole("region", { name: "Customers by product, table" }).textContent()).includes(product));
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.notEqual(await page.title(), "owned");
});

test("the page speaks the browser's language until another is chosen", async () => {
  const other = await openPage(demo.base, { locale: "pt-BR" });
  await signInAs(other.page, "global_admin");
  await other.page.goto(`${demo.base}/customers`);
  await loaded(other.page);
  const label = (figure) => other.page.locator(`[data-figure=${figure}] h3`).textContent();
  assert.equal(await other.page.locator("html").getAttribute("lang"), "pt");
  assert.deepEqual([await other.page.locator("h1").textContent(), await label("NET_ADDED")], ["Clientes", "Adicionados, líquido"]);
  await other.page.getByLabel("Idioma").selectOption("en");
  await other.page.locator("html[lang=en]").waitFor();
  await loaded(other.page);
  await other.page.reload();
  await loaded(other.page);
  assert.deepEqual([await other.page.locator("h1").textContent(), await label("NET_ADDED")], ["Customers", "Net added"]);
  assert.deepEqual(other.faults, []);
  await other.close();
});

test("nothing went wrong in the browser meanwhile", () => {
  assert.deepEqual(browser.faults, []);
});
