// The Customers dashboard: cards, map, grid, charts with legend and zoom, tabs, products and SKUs; each figure the API's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Dimension, Measure } from "../gen/insights/metrics/v1/query_pb.js";
import { loaded, personPage, theDemo, until, visit } from "../support.mjs";
import { count, number } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;
let answer;

before(async () => {
  opened = await personPage(base, "report_viewer");
  page = opened.page;
  answer = await api("report_viewer").getCustomersDashboard({});
});
after(() => opened.close());

const table = (name) => page.getByRole("region", { name: `${name}, table`, exact: true });
const section = (name) => page.getByRole("region", { name, exact: true });
const SPREAD = "Geographical spread of your customers";
const MOVES = "Customer adds and churns";
const value = (group, measure, breakdown) => Number(group.values[breakdown.measures.indexOf(measure)].kind.value);

test("the grid of countries has the API's figures with shares, and sorts by each column", async () => {
  await visit(page, base, "/customers");
  const rows = table(SPREAD).locator("tbody tr");
  const { byCountry } = answer;
  const [first] = byCountry.groups;
  const cells = await rows.first().locator("td").allTextContents();
  assert.ok(cells[0].startsWith(count(value(first, Measure.CUSTOMERS, byCountry))), cells[0]);
  assert.ok(cells[0].includes(`${first.shares[0].kind.value.value.toFixed(1)} %`), cells[0]);
  for (const [name, measure] of [["Customers", Measure.CUSTOMERS], ["Active customers", Measure.ACTIVE_CUSTOMERS], ["New", Measure.NEW]]) {
    const heading = table(SPREAD).getByRole("columnheader").filter({ has: page.getByRole("button", { name, exact: true }) });
    await heading.getByRole("button", { name, exact: true }).click();
    await heading.getByRole("button", { name, exact: true }).click();
    assert.equal(await heading.getAttribute("aria-sort"), "ascending");
    const at = byCountry.measures.indexOf(measure);
    const shown = (await rows.evaluateAll((all, cell) => all.map((row) => row.cells[cell].querySelector(".figure").firstChild.textContent), at + 1)).map(number);
    assert.deepEqual(shown, [...shown].sort((one, next) => one - next), name);
    const least = Math.min(...byCountry.groups.map((group) => value(group, measure, byCountry)));
    assert.equal(shown[0], least, name);
  }
  await table(SPREAD).getByRole("columnheader", { name: "Market" }).getByRole("button").click();
  const names = await rows.locator("th").allTextContents();
  assert.deepEqual(names, [...names].sort((one, next) => one.localeCompare(next)));
});

test("each heading opens what it means", async () => {
  await visit(page, base, "/customers");
  await table(SPREAD).getByRole("button", { name: "Active customers: what it means" }).click();
  const { terms } = await api("report_viewer").listGlossaryTerms({ search: "active_customers" });
  const panel = page.locator(".popover:popover-open");
  assert.ok((await panel.textContent()).includes(terms.find(({ id }) => id === "active_customers").definition));
});

test("the map tells total, active and new on hover, zooms to what is found, and goes Home", async () => {
  await visit(page, base, "/customers");
  const map = page.getByRole("group", { name: `Map: ${SPREAD}` });
  const group = answer.byCountry.groups.find(({ key }) => key?.value === "BR");
  await map.locator("[data-country=BR]").hover();
  const told = await page.getByTestId("map-told").textContent();
  for (const measure of [Measure.CUSTOMERS, Measure.ACTIVE_CUSTOMERS, Measure.NEW]) {
    assert.ok(told.includes(` ${value(group, measure, answer.byCountry)} `), told);
  }
  const whole = await map.getAttribute("viewBox");
  await page.getByLabel("Find a country").fill("bras");
  await until(async () => (await table(SPREAD).locator("tbody tr").count()) <= 1, "a search without accents narrows the grid");
  await page.getByLabel("Find a country").fill("braz");
  await page.getByLabel("Find a country").press("Enter");
  await until(async () => (await map.getAttribute("viewBox")) !== whole, "the map zooms");
  assert.equal(await table(SPREAD).locator("tr.marked").count(), 1);
  await page.getByRole("button", { name: "Whole world" }).click();
  await until(async () => (await map.getAttribute("viewBox")) === whole, "Home shows the world");
  await map.locator("[data-country=BR]").focus();
  await page.keyboard.press("Enter");
  await until(async () => (await map.getAttribute("viewBox")) !== whole, "the keyboard zooms too");
});

test("a country's name becomes a filter that every figure obeys", async () => {
  await visit(page, base, "/customers");
  await table(SPREAD).getByRole("link", { name: "Brazil" }).click();
  await page.waitForURL(/country=BR/);
  await loaded(page);
  const narrowed = await api("report_viewer").getCustomersDashboard({
    page: { filters: [{ dimension: Dimension.COUNTRY, values: [{ value: "BR" }] }] },
  });
  assert.equal(await table(SPREAD).locator("tbody tr").count(), 1);
  const shown = await page.locator("[data-figure=CUSTOMERS] [data-testid=value]").textContent();
  assert.equal(shown, count(narrowed.cards[0].value.kind.value));
  await page.getByRole("button", { name: "Remove the filter Market Brazil" }).click();
  await page.waitForURL((url) => !url.search.includes("country"));
});

test("the legend rebuilds the chart and the zoom narrows it, from the keyboard too; its table has the API's figures", async () => {
  await visit(page, base, "/customers");
  const existing = section(MOVES).getByRole("button", { name: "Existing" });
  await existing.press("Space");
  assert.equal(await existing.getAttribute("aria-pressed"), "true");
  await section(MOVES).locator(".chart[data-drawn]").waitFor();
  const from = section(MOVES).getByLabel("Chart from");
  await from.focus();
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowRight");
  assert.equal(await section(MOVES).locator("output").first().textContent(), "Nov 2025");
  assert.equal(await from.getAttribute("aria-valuetext"), "Nov 2025");
  await section(MOVES).getByRole("button", { name: "Show table" }).click();
  const rows = table(MOVES).locator("tbody tr");
  assert.equal(await rows.count(), 12);
  for (const [index, movement] of answer.movements.entries()) {
    const cells = await rows.nth(index).locator("td").allTextContents();
    assert.equal(movement.earliest, false);
    const expected = [movement.existingCustomers, movement.newCustomers, movement.churnedCustomers, movement.returningCustomers];
    assert.deepEqual(cells, expected.map((figure) => count(figure)), movement.month);
  }
});

test("a column of a month leads to that month", async () => {
  await visit(page, base, "/customers");
  const chart = section("Active customers").locator(".chart[data-drawn]");
  await chart.waitFor();
  const box = await chart.boundingBox();
  await page.mouse.click(box.x + box.width - 40, box.y + box.height - 60);
  await page.waitForURL(/from=2026-06&to=2026-06/);
});

test("who was there in the earliest month is drawn as existing", async () => {
  const first = answer.coverage.freshness.firstMonth;
  await visit(page, base, `/customers?from=${first}&to=2026-06`);
  await section(MOVES).getByRole("button", { name: "Show table" }).click();
  const cells = await table(MOVES).locator("tbody tr").first().locator("td").allTextContents();
  assert.ok(number(cells[0]) > 0 && cells[1] === "0", cells.join());
});

test("the range before is drawn beside, with the API's figures", async () => {
  await visit(page, base, "/customers?range=6");
  await page.getByLabel("Compare with the range before").check();
  await page.waitForURL(/compare=1/);
  await section("Active customers").getByRole("button", { name: "Customers, range before", exact: true }).waitFor();
  await section("Active customers").getByRole("button", { name: "Show table" }).click();
  const { activity } = await api("report_viewer").getCustomersDashboard({ page: { fromMonth: "2025-07", toMonth: "2025-12" } });
  const rows = table("Active customers").locator("tbody tr");
  for (const [index, point] of activity.entries()) {
    const cells = await rows.nth(index).locator("td").allTextContents();
    assert.deepEqual(cells.slice(2), [point.activeCustomers, point.customers].map((figure) => count(figure)), point.month);
  }
});

test("customers are distributed over five dimensions, and what is switched off leaves the scale to the others", async () => {
  await visit(page, base, "/customers");
  const panel = section("Customer distribution");
  const tabs = panel.getByRole("tab");
  assert.deepEqual(await tabs.allTextContents(), ["Partner location", "Segment", "Sales channel", "Pricing model", "Attribution type"]);
  for (const [index, distribution] of answer.distributions.entries()) {
    await tabs.nth(index).click();
    const items = panel.locator(".bar-list li");
    await until(async () => (await items.count()) === distribution.groups.length, "the tab's groups");
    const shown = (await items.locator(".number").allTextContents()).map(number);
    assert.deepEqual(shown, distribution.groups.map((group) => Number(group.values[0].kind.value)));
  }
  await tabs.nth(1).click();
  await page.waitForURL(/spread=segment/);
  const largest = () => panel.locator("progress").first().getAttribute("max");
  const before = await largest();
  await panel.getByRole("checkbox").first().uncheck();
  await until(async () => (await largest()) !== before, "another scale");
  await panel.locator(".bar-name a").first().click();
  await page.waitForURL(/segment=/);
});

test("a product opens its SKUs beside it, by mouse and keyboard", async () => {
  await visit(page, base, "/customers");
  const { skus, byProduct } = answer;
  for (const group of byProduct.groups.slice(0, 2)) {
    const product = group.key.value;
    await section("Customers by product").locator(`.slice[aria-label^="${product}:"]`).press("Enter");
    const within = skus.find((entry) => entry.product === product).bySku;
    const rows = table(`SKUs of ${product}`).locator("tbody tr");
    await rows.first().waitFor();
    const shown = (await rows.evaluateAll((all) => all.map((row) => row.cells[1].textContent))).map(number);
    assert.deepEqual(shown, within.groups.slice(0, 8).map((entry) => Number(entry.values[0].kind.value)));
  }
});

test("distribution by month: six dimensions, the five largest and the others, or all", async () => {
  await visit(page, base, "/customers");
  const name = "Customer distribution trend";
  const panel = section(name);
  const tabs = panel.getByRole("tab");
  assert.deepEqual(await tabs.allTextContents(), ["Market", "Segment", "Partner location", "Product", "Pricing model", "Attribution type"]);
  await panel.getByRole("button", { name: "Show table" }).click();
  for (const [index, trend] of answer.distributionTrends.entries()) {
    await tabs.nth(index).click();
    const columns = trend.groups.length + (trend.others ? 1 : 0);
    const cells = table(name).locator("tbody tr").last().locator("td");
    await until(async () => (await cells.count()) === columns, `${columns} series`);
    const last = (points) => count(points.at(-1).values[0].kind.value);
    const expected = [...trend.groups.map((group) => last(group.trend)), ...(trend.others ? [last(trend.others.trend)] : [])];
    assert.deepEqual(await cells.allTextContents(), expected);
  }
  await tabs.first().click();
  await panel.getByRole("button", { name: "All groups" }).click();
  await page.waitForURL(/groups=all/);
  const all = await api("report_viewer").getCustomersDashboard({ allGroups: true });
  const cells = table(name).locator("tbody tr").last().locator("td");
  await until(async () => (await cells.count()) === all.distributionTrends[0].groups.length, "all groups");
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
