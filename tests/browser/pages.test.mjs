// Every role signs in, sees its dashboards and no other, and reads on each card what the ReportingService answers.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { Figure } from "./gen/insights/reporting/v1/dashboards_pb.js";
import { client, loaded, openPage, signIns, signInAs, startDemo } from "./support.mjs";

const CUSTOMERS = "Customers";
const DYNAMICS = "Dynamics usage";
const ADOPTION = "Licence adoption";

/** The access table, written out by hand. */
const ROLES = {
  global_admin: [CUSTOMERS, DYNAMICS, ADOPTION],
  account_admin: [DYNAMICS],
  user_management_admin: [ADOPTION],
  admin_agent: [CUSTOMERS, DYNAMICS, ADOPTION],
  sales_agent: [ADOPTION],
  report_viewer: [CUSTOMERS, DYNAMICS],
  executive_report_viewer: [CUSTOMERS, DYNAMICS],
};

const PAGES = {
  [CUSTOMERS]: { path: "/customers", ask: (api) => api.getCustomersDashboard({}) },
  [DYNAMICS]: { path: "/dynamics-usage", ask: (api) => api.getDynamicsUsageDashboard({}) },
  [ADOPTION]: { path: "/licence-adoption", ask: (api) => api.getLicenceAdoptionDashboard({}) },
};

let demo;
let tokens;

before(async () => {
  mkdirSync("shots", { recursive: true });
  demo = await startDemo();
  tokens = await signIns(demo.base);
});

after(() => demo?.stop());

/** A figure as a person would write it. */
function written(value) {
  switch (value?.kind.case) {
    case "count":
      return String(value.kind.value).replace(/\B(?=(\d{3})+$)/g, ",");
    case "percentage": {
      const { value: percent } = value.kind.value;
      if (percent === undefined) return "–";
      const [whole, part] = percent.toFixed(2).split(".");
      return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${part} %`;
    }
    default:
      return "–";
  }
}

async function compareCards(page, answer, where) {
  assert.ok(answer.cards.length >= 4, where);
  for (const card of answer.cards) {
    const name = Figure[card.figure];
    const shown = await page.locator(`[data-figure=${name}] [data-testid=value]`).textContent();
    assert.equal(shown, written(card.value), `${name} on ${where}`);
  }
  const coverage = await page.locator("[data-testid=coverage]").textContent();
  assert.ok(coverage.includes(`complete through ${answer.coverage.freshness.completeThrough}`), coverage);
  assert.ok(coverage.includes(`version ${answer.coverage.freshness.version}`), coverage);
  assert.equal(coverage.includes("is partial"), answer.coverage.partial, coverage);
}

describe("dashboards", () => {
  for (const [role, allowed] of Object.entries(ROLES)) {
    test(`${role} sees ${allowed.join(", ")}`, async () => {
      const { token } = tokens.find((entry) => entry.role === role);
      const api = client(demo.base, token);
      const { page, faults, close } = await openPage(demo.base);
      try {
        await signInAs(page, role);
        const offered = await page.locator("nav[aria-label=Dashboards] a").allTextContents();
        assert.deepEqual(offered, allowed);
        for (const [title, { path, ask }] of Object.entries(PAGES)) {
          await page.goto(demo.base + path);
          if (allowed.includes(title)) {
            await loaded(page);
            await compareCards(page, await ask(api), `${path} as ${role}`);
            await page.screenshot({ path: `shots/${role}${path.replace("/", "-")}.png`, fullPage: true });
          } else {
            await page.getByText("Your roles do not include this dashboard").waitFor();
            assert.equal(await page.locator(".card[data-figure]").count(), 0);
            await assert.rejects(ask(api));
          }
        }
        assert.deepEqual(faults, []);
      } finally {
        await close();
      }
    });
  }
});
