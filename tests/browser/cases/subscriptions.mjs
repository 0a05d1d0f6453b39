// Subscription performance: the top 100, by what they rank; a search; all of them by paging; sparklines, start and end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { loaded, personPage, theDemo, until, visit } from "../support.mjs";
import { written } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;

before(async () => {
  opened = await personPage(base, "executive_report_viewer");
  page = opened.page;
});
after(() => opened.close());

const rows = () => page.getByRole("region", { name: "Subscription performance, table" }).locator("> table > tbody > tr");

test("the top 100 by billed revenue, by available seats for who may not see revenue", async () => {
  await visit(page, base, "/subscriptions");
  const top = await api("executive_report_viewer").listSubscriptionPerformance({});
  await page.getByText("rank highest by “Billed revenue”").waitFor();
  assert.equal(await rows().count(), top.subscriptions.length);
  const [first] = top.subscriptions;
  const text = await rows().first().textContent();
  for (const part of [first.customer.name, first.subscriptionId, first.sku.name, ...first.values.map((value) => written(value))]) assert.ok(text.includes(part), `${part} in ${text}`);
  assert.match(text, /20\d\d/);
  assert.equal(await rows().first().locator("svg.spark, .spark.none").count(), 1);
  const other = await personPage(base, "report_viewer");
  try {
    await visit(other.page, base, "/subscriptions");
    await other.page.getByText("rank highest by “Available”").waitFor();
  } finally {
    await other.close();
  }
});

test("a search finds customers whatever their rank", async () => {
  await visit(page, base, "/subscriptions");
  const top = await api("executive_report_viewer").listSubscriptionPerformance({ all: true });
  const name = top.subscriptions.at(-1).customer.name;
  const found = await api("executive_report_viewer").listSubscriptionPerformance({ customerSearch: name });
  await page.locator("main").getByLabel("Find a customer").fill(name);
  await until(async () => (await rows().count()) === found.subscriptions.length, "what was found");
  assert.ok((await rows().first().textContent()).includes(name));
});

test("all of them, page by page", async () => {
  await visit(page, base, "/subscriptions?show=Office+365&show=Power+BI&show=Azure");
  await page.getByLabel("All, not only the top 100").check();
  await page.waitForURL(/all=1/);
  await loaded(page);
  const seen = [];
  let token = "";
  do {
    const answer = await api("executive_report_viewer").listSubscriptionPerformance({ products: ["Office 365", "Power BI", "Azure"], all: true, pageSize: 100, pageToken: token });
    seen.push(...answer.subscriptions);
    token = answer.nextPageToken;
  } while (token);
  assert.ok(seen.length > 100, `${seen.length} subscriptions take more than a page`);
  for (;;) {
    await page.locator("[data-testid=subscriptions][aria-busy=false]").waitFor();
    const more = page.getByRole("button", { name: "Show more" });
    if ((await more.count()) === 0) break;
    const before = await rows().count();
    await more.click();
    await until(async () => (await rows().count()) > before, "the next page");
  }
  assert.equal(await rows().count(), seen.length);
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
