// The Dynamics usage dashboard: geography, SKUs by month, distribution, subscriptions, any other product.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Measure } from "../gen/insights/metrics/v1/query_pb.js";
import { loaded, personPage, theDemo, until, visit } from "../support.mjs";
import { count, written } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;
let answer;

before(async () => {
  opened = await personPage(base, "account_admin");
  page = opened.page;
  answer = await api("account_admin").getDynamicsUsageDashboard({});
});
after(() => opened.close());

const table = (name) => page.getByRole("region", { name: `${name}, table`, exact: true });
const section = (name) => page.getByRole("region", { name, exact: true });

test("geography shows available or active seats, each in its tab", async () => {
  await visit(page, base, "/dynamics-usage");
  const panel = section("Usage by geography");
  const { byCountry } = answer;
  const [largest] = byCountry.groups;
  const cells = await table("Usage by geography").locator("tbody tr").first().locator("td").allTextContents();
  for (const [index] of byCountry.measures.entries()) assert.ok(cells[index].startsWith(written(largest.values[index])), cells[index]);
  const shade = () => panel.locator(`[data-country=${largest.key.value}]`).getAttribute("class");
  assert.equal(await shade(), "land shade-5");
  await panel.getByRole("tab", { name: "Active" }).click();
  await page.waitForURL(/map=active/);
  const most = [...byCountry.groups].sort((one, next) => Number(next.values[2].kind.value - one.values[2].kind.value))[0];
  assert.equal(await panel.locator(`[data-country=${most.key.value}]`).getAttribute("class"), "land shade-5");
});

test("each SKU by month: available, assigned, active", async () => {
  await visit(page, base, "/dynamics-usage");
  const panel = section("Usage by SKU");
  await panel.getByRole("button", { name: "Show table" }).click();
  for (const [tab, measure] of [["Available", Measure.AVAILABLE], ["Assigned", Measure.ASSIGNED], ["Active", Measure.ACTIVE]]) {
    await panel.getByRole("tab", { name: tab }).click();
    const at = answer.bySku.measures.indexOf(measure);
    const expected = answer.bySku.groups.map(({ trend }) => count(trend.at(-1).values[at].kind.value));
    const cells = table("Usage by SKU").locator("tbody tr").last().locator("td");
    await until(async () => (await cells.allTextContents()).join() === expected.join(), `${tab} by SKU`);
  }
});

test("distribution over SKUs with shares", async () => {
  await visit(page, base, "/dynamics-usage");
  const rows = table("Usage distribution").locator("tbody tr");
  for (const [index, group] of answer.bySku.groups.entries()) {
    const cells = await rows.nth(index).locator("td").allTextContents();
    assert.ok(cells[0].startsWith(written(group.values[0])) && cells[0].includes(`${group.shares[0].kind.value.value.toFixed(1)} %`), cells[0]);
  }
});

test("any other product has the same page under its own name", async () => {
  await visit(page, base, "/dynamics-usage");
  await page.getByLabel("Product").selectOption("Office 365");
  await page.waitForURL(/show=Office/);
  await loaded(page);
  assert.equal(await page.locator("h1").textContent(), "Usage of Office 365");
  const office = await api("account_admin").getDynamicsUsageDashboard({ products: ["Office 365"] });
  assert.equal(await page.locator("[data-figure=AVAILABLE_SEATS] [data-testid=value]").textContent(), written(office.cards[0].value));
  await page.getByRole("link", { name: "All subscriptions" }).click();
  await page.waitForURL(/subscriptions\?.*show=Office/);
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
