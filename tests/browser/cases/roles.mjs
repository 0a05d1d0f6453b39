// Every role sees its pages and no other, in both languages, wide and narrow, light and dark; every card is what the API answers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Figure } from "../gen/insights/reporting/v1/dashboards_pb.js";
import { accessibilityFaults, loaded, personPage, theDemo, tooWide } from "../support.mjs";
import { written } from "./figures.mjs";

const { base, api } = await theDemo();

const ALL = ["/", "/customers", "/dynamics-usage", "/licence-adoption", "/subscriptions", "/downloads", "/data-health", "/glossary", "/audit"];

/** The access table, written out by hand. */
const ROLES = {
  global_admin: ALL,
  account_admin: ["/", "/dynamics-usage", "/subscriptions", "/downloads", "/glossary"],
  user_management_admin: ["/", "/licence-adoption", "/downloads", "/glossary"],
  admin_agent: ALL.filter((path) => path !== "/audit"),
  sales_agent: ["/", "/licence-adoption", "/downloads", "/glossary"],
  report_viewer: ["/", "/customers", "/dynamics-usage", "/subscriptions", "/downloads", "/glossary"],
  executive_report_viewer: ["/", "/customers", "/dynamics-usage", "/subscriptions", "/downloads", "/glossary"],
};

const ASK = {
  "/customers": (client) => client.getCustomersDashboard({}),
  "/dynamics-usage": (client) => client.getDynamicsUsageDashboard({}),
  "/licence-adoption": (client) => client.getLicenceAdoptionDashboard({}),
};

const LOOKS = [
  { language: "en", locale: "en-GB", viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  { language: "pt", locale: "pt-BR", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];

/** Looks of who sees all pages. */
const MORE = [
  { language: "en", locale: "en-GB", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { language: "pt", locale: "pt-BR", viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
];

/** Follows the menu to a page, as people do: in one tab, without loading it anew. */
async function open(page, path, narrow) {
  if (narrow) await page.locator("button.menu").click();
  await page.locator(`nav a[href="${path}"]`).click();
  if (ASK[path] || ["/", "/subscriptions"].includes(path)) await loaded(page);
  await page.locator("main h1").waitFor();
}

async function compareCards(page, answer, language, where) {
  assert.ok(answer.cards.length >= 4, where);
  for (const card of answer.cards) {
    const name = Figure[card.figure];
    const shown = await page.locator(`[data-figure=${name}] [data-testid=value]`).textContent();
    assert.equal(shown, written(card.value, language), `${name} on ${where}`);
  }
  const version = await page.locator("[data-testid=coverage]").getAttribute("data-version");
  assert.equal(version, String(answer.coverage.freshness.version), where);
}

describe("roles", () => {
  for (const [role, allowed] of Object.entries(ROLES)) {
    for (const { language, ...look } of role === "global_admin" ? [...LOOKS, ...MORE] : LOOKS) {
      test(`${role} sees ${allowed.length} pages, ${language}, ${look.viewport.width}, ${look.colorScheme}`, async () => {
        const client = api(role, language);
        const { page, faults, close } = await personPage(base, role, look);
        const narrow = look.viewport.width < 600;
        try {
          assert.equal(await page.locator("html").getAttribute("lang"), language);
          const offered = await page.locator("nav a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
          assert.deepEqual(offered, allowed);
          for (const path of allowed) {
            await open(page, path, narrow);
            const where = `${path} as ${role}`;
            if (ASK[path]) await compareCards(page, await ASK[path](client), language, where);
            assert.equal(await tooWide(page), 0, where);
            assert.equal(await page.locator("main [role=alert]").count(), 0, where);
            if (role === "global_admin") {
              if (path !== "/downloads") await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
              assert.deepEqual(await accessibilityFaults(page), [], where);
              await page.screenshot({ path: `shots/${language}-${look.viewport.width}${path.replaceAll("/", "-")}.png`, fullPage: true });
            }
          }
          for (const path of ALL.filter((other) => !allowed.includes(other))) {
            await page.evaluate((to) => (history.pushState(null, "", to), dispatchEvent(new PopStateEvent("popstate"))), path);
            await page.locator("[data-testid=way-on]").waitFor();
            assert.equal(await page.locator("[data-testid=way-on] a").count(), allowed.length, path);
            if (ASK[path]) await assert.rejects(ASK[path](client));
          }
          assert.deepEqual(faults, []);
        } finally {
          await close();
        }
      });
    }
  }
});
