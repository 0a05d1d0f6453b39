// Licence adoption, the portfolio and one customer; advice first.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Dimension } from "../gen/insights/metrics/v1/query_pb.js";
import { Figure } from "../gen/insights/reporting/v1/dashboards_pb.js";
import { loaded, personPage, theDemo, until, visit } from "../support.mjs";
import { count, number, written } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;

before(async () => {
  opened = await personPage(base, "global_admin");
  page = opened.page;
});
after(() => opened.close());

const table = (name) => page.getByRole("region", { name: `${name}, table`, exact: true });

test("advice stands first, ranked as the API ranks it, and narrows to a rule", async () => {
  await visit(page, base, "/");
  const { advice, counts } = await api("global_admin").listAdvice({ page: { scope: 0 }, pageSize: 6 });
  const items = page.locator("article.advice");
  await items.first().waitFor();
  const shown = await items.evaluateAll((all) => all.map((one) => one.dataset.customerId));
  assert.deepEqual(shown, advice.map((entry) => entry.customer.value.value));
  assert.equal(await items.first().locator(".because").textContent(), advice[0].because);
  const top = await page.locator("main section").first().getAttribute("aria-label");
  assert.equal(top, "Page filters");
  await items.first().locator("summary").click();
  assert.ok((await items.first().textContent()).includes(advice[0].toTry));
  const [rule] = counts;
  await page.getByRole("list", { name: "Advice by rule" }).getByRole("button").first().click();
  await page.waitForURL(/rule=ADVICE_CODE/);
  await until(async () => (await items.count()) === Math.min(6, rule.count), "the rule's advice alone");
});

test("worst advice → customer → reason beyond 100 % → CSV: at most eight clicks, the same numbers on the way", async () => {
  await visit(page, base, "/licence-adoption");
  const { byCustomer } = await api("global_admin").getLicenceAdoptionDashboard({});
  const at = byCustomer.measures.findIndex((_, index) => byCustomer.groups.some(({ values }) => values[index].kind.case === "percentage" && values[index].kind.value.value > 100));
  const group = byCustomer.groups.find(({ values }) => values[at].kind.value.value > 100);
  const over = written(group.values[at]);
  await page.getByRole("button", { name: /Show all/ }).last().click(); // 1
  await page.locator(`main a[data-customer="${group.key.value}"]`).click(); // 2
  await page.waitForURL(/customer\?.*of=/);
  await loaded(page);
  const card = page.locator(".card", { has: page.locator("button.why") }).filter({ hasText: over });
  await card.locator("button.why").click(); // 3
  const panel = page.locator(".popover:popover-open");
  assert.ok((await panel.textContent()).includes(over));
  await panel.getByRole("button", { name: "Close" }).click(); // 4
  await page.locator(".toolbar").getByRole("button").click(); // 5
  const download = page.waitForEvent("download");
  await page.locator(".popover:popover-open").getByRole("button", { name: "CSV" }).first().click(); // 6
  const file = await download;
  const text = await (await import("node:fs/promises")).readFile(await file.path(), "utf8");
  const [head, ...rows] = text.trim().split("\r\n").map((line) => line.split(","));
  const column = head.indexOf("available");
  const last = rows.filter((row) => row[head.indexOf("month")] === "2026-06");
  const sum = last.reduce((total, row) => total + Number(row[column]), 0);
  assert.equal(sum, number(await page.locator("[data-figure=AVAILABLE_SEATS] [data-testid=value]").textContent()));
  await page.locator("[data-testid=toast][data-state=DONE]").waitFor();
});

test("one customer: its name and id, adoption, subscriptions, advice and revenue", async () => {
  const { advice } = await api("global_admin").listAdvice({ pageSize: 1 });
  const id = advice[0].customer.value.value;
  await visit(page, base, `/customer?of=${id}`);
  assert.equal(await page.locator("h1").textContent(), advice[0].customer.name);
  assert.ok((await page.getByTestId("customer-id").textContent()).includes(id));
  const answer = await api("global_admin").getLicenceAdoptionDashboard({ customerId: id });
  for (const card of answer.cards) {
    assert.equal(await page.locator(`[data-figure=${Figure[card.figure]}] [data-testid=value]`).textContent(), written(card.value), Figure[card.figure]);
  }
  const filters = [{ dimension: Dimension.CUSTOMER, values: [{ value: id }] }];
  const own = await api("global_admin").listAdvice({ page: { filters }, pageSize: 20 });
  await page.locator("article.advice").first().waitFor();
  assert.equal(await page.locator("article.advice").count(), own.advice.length);
  const { values } = await api("global_admin").listFilterValues({ dimension: Dimension.PRODUCT });
  const products = values.flatMap(({ value }) => value.value ?? []);
  const subscriptions = await api("global_admin").listSubscriptionPerformance({ page: { filters, scope: 2 }, products, all: true });
  await table("Subscriptions").locator("> table > tbody > tr").first().waitFor();
  assert.equal(await table("Subscriptions").locator("> table > tbody > tr").count(), subscriptions.subscriptions.length);
  const query = { measures: [20], fromMonth: "2025-07", toMonth: "2026-06", filters, scope: 2 };
  const billed = (await api("global_admin").query({ query })).result.rows.filter((row) => row.values[0].kind.case === "amount");
  const revenue = table("Billed revenue").locator("> table > tbody > tr");
  if (billed.length > 0) {
    await revenue.first().waitFor();
    assert.equal(await revenue.count(), billed.length);
    const [amount] = billed.map((row) => Number(row.values[0].kind.value));
    assert.equal(number(await revenue.first().locator("td").textContent()), amount);
  }
});

test("who may not see revenue sees none, and who may not see adoption still reaches the customer", async () => {
  const agent = await personPage(base, "admin_agent");
  const viewer = await personPage(base, "executive_report_viewer");
  try {
    const { advice } = await api("global_admin").listAdvice({ pageSize: 1 });
    const id = advice[0].customer.value.value;
    await visit(agent.page, base, `/customer?of=${id}`);
    await agent.page.getByRole("region", { name: "Subscriptions, table" }).locator("> table > tbody > tr").first().waitFor();
    assert.equal(await agent.page.getByRole("region", { name: "Billed revenue", exact: true }).count(), 0);
    await visit(viewer.page, base, `/customer?of=${id}`);
    await viewer.page.getByRole("region", { name: "Billed revenue", exact: true }).waitFor();
    assert.equal(await viewer.page.locator(".card").count(), 0);
    assert.equal(await viewer.page.locator("h1").textContent(), advice[0].customer.name);
    assert.deepEqual([...agent.faults, ...viewer.faults], []);
  } finally {
    await agent.close();
    await viewer.close();
  }
});

test("both bases are named, and one can come first", async () => {
  await visit(page, base, "/licence-adoption");
  const order = () => page.locator(".card[data-figure]").evaluateAll((all) => all.map((one) => one.dataset.figure));
  assert.deepEqual((await order()).slice(0, 2), ["DEPLOYMENT_PERCENT", "USAGE_PERCENT_USERS"]);
  await page.getByLabel("Usage % of").selectOption("entitlements");
  await page.waitForURL(/basis=entitlements/);
  assert.deepEqual((await order()).slice(0, 2), ["DEPLOYMENT_PERCENT", "USAGE_PERCENT_ENTITLEMENTS"]);
  const { byService } = await api("global_admin").getLicenceAdoptionDashboard({});
  const cells = await table("Usage by service").locator("> table > tbody > tr").first().locator("td").allTextContents();
  assert.ok(cells[0].startsWith(count(byService.groups[0].values[0].kind.value)), cells[0]);
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
