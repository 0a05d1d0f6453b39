// The first view tells the truth: colours and bases of changes, scales, figures beyond 100 %, and what a reader must know.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { ChangeKind, Figure } from "../gen/insights/reporting/v1/dashboards_pb.js";
import { loaded, personPage, theDemo, visit } from "../support.mjs";
import { number, percent } from "./figures.mjs";

const { base, api, folder } = await theDemo();
let opened;
let page;

before(async () => {
  opened = await personPage(base, "global_admin");
  page = opened.page;
});
after(() => opened.close());

const card = (figure) => page.locator(`[data-figure=${figure}]`);

test("a change is good, bad or flat by what it changes, and says since when", async () => {
  for (const range of ["3", "6", "12"]) {
    await visit(page, base, `/customers?range=${range}`);
    const { cards } = await api("global_admin").getCustomersDashboard({ page: { preset: { 3: 1, 6: 2, 12: 3 }[range] } });
    const burdens = [Figure.CUSTOMERS_CHURNED, Figure.LAST_MONTH_CHURN];
    for (const { figure, changes } of cards) {
      const line = card(Figure[figure]).locator(".change");
      const [main] = changes;
      const value = main.change?.value;
      const rises = value > 0 === !burdens.includes(figure);
      const look = value === undefined ? "none" : Math.abs(value) < 0.05 ? "flat" : main.kind === ChangeKind.CHURN || !rises ? "bad" : "good";
      assert.equal(await line.getAttribute("class"), `change ${look}`, `${Figure[figure]} over ${range}`);
      const text = await line.textContent();
      if (value === undefined) assert.equal(text, "no base to compare with");
      else assert.match(text, /(since|against|of the customers of) /, Figure[figure]);
      if (look === "flat") assert.ok(!/[▲▼]/.test(text), text);
    }
  }
});

test("churn has a scale of its own below zero, and the columns of those who stay are off at first", async () => {
  await visit(page, base, "/customers");
  const legend = page.getByRole("list", { name: "Legend of Customer adds and churns" }).getByRole("button");
  assert.deepEqual(await legend.evaluateAll((all) => all.map((one) => one.getAttribute("aria-pressed"))), ["false", "true", "true", "false"]);
});

test("small trends begin at zero", async () => {
  await visit(page, base, "/licence-adoption");
  const spark = card("DEPLOYMENT_PERCENT").locator("svg.spark");
  const zero = number((await spark.locator(".zero").getAttribute("d")).split(" ")[1]);
  const heights = (await spark.locator("polyline").first().getAttribute("points")).split(" ").map((point) => Number(point.split(",")[1]));
  assert.ok(heights.every((height) => zero - height > 15), `${heights} above ${zero}`);
});

test("what is more than 100 % is marked and explained, and nothing else is", async () => {
  await visit(page, base, "/licence-adoption");
  await page.getByRole("button", { name: /Show all/ }).last().click();
  const rows = page.getByRole("region", { name: "By customer, those with the most seats, table" }).locator("tbody tr");
  const { byCustomer } = await api("global_admin").getLicenceAdoptionDashboard({});
  const over = byCustomer.groups.flatMap(({ values }) => values).filter(({ kind }) => kind.case === "percentage" && kind.value.value > 100);
  assert.ok(over.length > 0, "the demo has a customer beyond 100 %");
  assert.equal(await rows.locator("button.why").count(), over.length);
  await rows.locator("button.why").first().click();
  const panel = page.locator(".popover:popover-open");
  assert.match(await panel.textContent(), /More than 100 %: [\d,]+ of [\d,]+\./);
});

test("a deployment beyond 100 % says that more is given out than sold", async () => {
  const { byCustomer } = await api("global_admin").getLicenceAdoptionDashboard({ page: { preset: 1 } });
  const at = byCustomer.measures.indexOf(14);
  const found = byCustomer.groups.find(({ values }) => values[at].kind.value.value > 100);
  if (!found) return;
  await visit(page, base, `/customer?of=${found.key.value}&range=3`);
  await card("DEPLOYMENT_PERCENT").locator("button.why").click();
  assert.match(await page.locator(".popover:popover-open").textContent(), /More users hold a seat than seats were sold/);
});

test("free seats, figures of another time and unfinished months are named", async () => {
  await visit(page, base, "/licence-adoption?free=1");
  await page.getByText("Free SKUs come with pools of thousands of seats").waitFor();
  await visit(page, base, "/customers?as-of=2026-05-01T00:00:00Z");
  await page.getByText("as they stood on 2026-05-01").waitFor();
  await page.getByRole("button", { name: "Show today's" }).click();
  await page.waitForURL((url) => !url.search.includes("as-of"));
  await loaded(page);
  await page.getByRole("button", { name: "Jun 2026 is partial" }).click();
  assert.match(await page.locator(".popover:popover-open").textContent(), /does not reach the end/);
});

test("data that ends long ago is called old", async () => {
  await page.clock.setFixedTime(new Date("2026-07-20T10:00:00Z"));
  await visit(page, base, "/customers");
  await page.getByRole("button", { name: "data ends 30 days ago" }).waitFor();
  await page.clock.setFixedTime(new Date("2026-06-21T10:00:00Z"));
});

test("a figure opens its definition, its fraction and a worked example", async () => {
  await visit(page, base, "/licence-adoption");
  await card("USAGE_PERCENT_USERS").getByRole("button", { name: /what it means/ }).click();
  const panel = page.locator(".popover:popover-open");
  const { cards } = await api("global_admin").getLicenceAdoptionDashboard({});
  const shown = cards.find(({ figure }) => figure === Figure.USAGE_PERCENT_USERS);
  const { numerator, denominator, value } = shown.value.kind.value;
  assert.equal(await card("USAGE_PERCENT_USERS").locator("[data-testid=value]").textContent(), percent(value));
  assert.match(await panel.textContent(), new RegExp(`${numerator.toLocaleString("en")} of ${denominator.toLocaleString("en")}`));
  const parts = (await panel.locator(".reasons td").allTextContents()).map(number);
  assert.equal(parts.reduce((sum, part) => sum + part, 0), Number(numerator));
  await page.getByRole("button", { name: "Close" }).first().press("Escape");
  await visit(page, base, "/dynamics-usage");
  await card("ACTIVE_USAGE_PERCENT").getByRole("button", { name: /what it means/ }).click();
  await panel.getByText(/^Example \d:/).first().waitFor();
  await panel.getByRole("link", { name: "In the glossary" }).click();
  await page.waitForURL(/glossary\?term=/);
  await page.locator(".entry.aimed[data-term=active_usage_percent]").waitFor();
});

test("the demo prints the figures that its page shows", async (context) => {
  if (!folder) return context.skip("needs a demo of its own");
  const run = promisify(execFile);
  const env = { ...process.env, INSIGHTS_NOW: "2026-06-20T12:00:00Z" };
  const { stdout } = await run(process.env.INSIGHTS, ["demo", "--once", "--json", "--customers", "80", "--data-dir", join(folder, "printed")], { env });
  const printed = JSON.parse(stdout);
  await visit(page, base, "/customers");
  const shown = async (figure) => number(await card(figure).locator("[data-testid=value]").textContent());
  assert.equal(await shown("CUSTOMERS"), printed.customers);
  assert.equal(await shown("CUSTOMERS_ADDED"), printed.added);
  assert.equal(await shown("SUBSCRIPTIONS"), printed.subscriptions);
  await visit(page, base, "/licence-adoption");
  assert.equal(await shown("AVAILABLE_SEATS"), printed.available);
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
