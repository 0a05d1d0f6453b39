// Filters and range go along, chips keep names, the address is the state, the keyboard reaches everything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { RangePreset } from "../gen/insights/reporting/v1/dashboards_pb.js";
import { loaded, openPage, personPage, signInAs, theDemo, until, visit } from "../support.mjs";
import { count } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;

before(async () => {
  opened = await personPage(base, "global_admin");
  page = opened.page;
});
after(() => opened.close());

const shown = (figure) => page.locator(`[data-figure=${figure}] [data-testid=value]`).textContent();

test("range and filters survive a change of page, and Back", async () => {
  await visit(page, base, "/customers?range=6&country=DE&scope=own");
  await page.locator('nav a[href^="/licence-adoption"]').click();
  await page.waitForURL((url) => url.pathname === "/licence-adoption" && url.search === "?range=6&country=DE&scope=own");
  await loaded(page);
  await page.getByRole("button", { name: "Remove the filter Market Germany" }).waitFor();
  await page.goBack();
  await page.waitForURL(/customers/);
});

test("a range stands in the address and in the figures", async () => {
  await visit(page, base, "/customers");
  await page.getByText("3 months", { exact: true }).click();
  await page.waitForURL(/range=3/);
  await loaded(page);
  const answer = await api("global_admin").getCustomersDashboard({ page: { preset: RangePreset.THREE_MONTHS } });
  assert.equal(await shown("CUSTOMERS_ADDED"), count(answer.totals.added));
  await page.goto(`${base}/customers?range=99`);
  await loaded(page);
  assert.ok(await page.getByRole("radio", { name: "12 months" }).isChecked(), "a range that is none is the default");
});

test("chips show names after a reload, and a filter that a page cannot use says so", async () => {
  const { values } = await api("global_admin").listFilterValues({ dimension: 4 });
  const [one] = values;
  await visit(page, base, `/customers?customer=${one.value.value}&service=Exchange`);
  await page.getByRole("button", { name: `Remove the filter Customer ${one.name}` }).waitFor();
  await page.locator('nav a[href^="/dynamics-usage"]').click();
  await loaded(page);
  await page.getByText("(not on this page)").waitFor();
});

test("a filter is chosen with the keyboard alone; Enter takes the first that was found", async () => {
  await visit(page, base, "/customers");
  await page.getByRole("button", { name: "Add a filter" }).press("Enter");
  await until(() => page.evaluate(() => document.activeElement.dataset.dimension === "country"), "the menu has the focus");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.type("germany");
  await page.locator("dialog .values[aria-busy=false] label").first().waitFor();
  await until(async () => (await page.locator("dialog .values label").count()) === 1, "one found");
  await page.keyboard.press("Enter");
  await page.waitForURL(/country=DE/);
  await page.locator("dialog").waitFor({ state: "detached" });
});

test("a customer is found with the keyboard, and its page is a link", async () => {
  await visit(page, base, "/customers");
  const field = page.getByRole("combobox", { name: "Find a customer" });
  await field.focus();
  await page.getByRole("option").first().waitFor();
  await page.getByText("There are more: search for them.").waitFor();
  await page.keyboard.press("ArrowDown");
  const name = await page.getByRole("option").nth(1).locator("bdi").textContent();
  assert.equal(await field.getAttribute("aria-activedescendant"), await page.getByRole("option").nth(1).getAttribute("id"));
  await page.keyboard.press("Enter");
  await page.waitForURL(/customer\?.*of=/);
  await loaded(page);
  assert.equal(await page.locator("h1").textContent(), name);
  await field.focus();
  await page.keyboard.press("Escape");
  assert.equal(await field.getAttribute("aria-expanded"), "false");
  assert.equal(await page.title(), "Customer · Partner Insights");
});

test("landmarks, a way to the content, one heading of the first level", async () => {
  await visit(page, base, "/customers");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  for (const role of ["banner", "navigation", "main"]) assert.equal(await page.getByRole(role).count(), 1, role);
  assert.equal(await page.locator("h1").count(), 1);
});

test("a panel takes the focus, and Escape gives it back", async () => {
  await visit(page, base, "/customers");
  const opener = page.locator("[data-figure=CUSTOMERS] button.term");
  await opener.press("Enter");
  await until(() => page.evaluate(() => document.activeElement.getAttribute("aria-label") === "Close"), "the panel has the focus");
  await page.keyboard.press("Escape");
  await until(() => opener.evaluate((element) => element === document.activeElement), "the focus is back");
});

test("a link opened in another tab finds its reader signed in, and leaving one leaves all", async () => {
  const first = await openPage(base);
  await signInAs(first.page, "report_viewer");
  const second = await first.context.newPage();
  await second.goto(`${base}/customers?range=6`);
  await loaded(second);
  await second.getByRole("button", { name: "Sign out" }).click();
  await first.page.getByTestId("ending").waitFor();
  await first.close();
});

test("nothing went wrong in the browser meanwhile", () => assert.deepEqual(opened.faults, []));
