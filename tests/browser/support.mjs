// The demo, a browser, and a client that asks the ReportingService the same questions as the page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import axe from "axe-core";
import { chromium } from "playwright-core";

import { IngestionService } from "./gen/insights/ingestion/v1/ingestion_pb.js";
import { ReportingService } from "./gen/insights/reporting/v1/reporting_pb.js";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A port outside the range from which the system takes ports for outgoing connections, so that none takes it before the demo does. */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 19_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Runs the binary to its end and gives what it printed. */
export async function insights(...args) {
  const child = spawn(process.env.INSIGHTS, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`insights ${args.join(" ")} ended with ${code}`);
  return text;
}

/** What the demo takes for now: its partner ends on the same day whenever the tests run. */
const DEMO_NOW = "2026-06-20T12:00:00Z";
/** What the page takes for now. */
const PAGE_NOW = "2026-06-21T10:00:00Z";

/** Starts the demo in a directory of its own. */
async function startDemo(customers = 120) {
  const base = process.env.INSIGHTS_PAGE;
  if (base) return { base, folder: "", stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), "insights-browser-"));
  const port = await freePort();
  const args = ["demo", "--data-dir", folder, "--port", String(port), "--customers", String(customers)];
  const env = { ...process.env, INSIGHTS_NOW: DEMO_NOW };
  const child = spawn(process.env.INSIGHTS, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the demo ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/dev/tokens.json`).catch(() => undefined);
    if (answer?.ok && (await ready(url, await answer.json()))) return { base: url, folder, stop };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The demo serves before all of its data is in: it is ready when a page of it has customers. */
async function ready(base, tokens) {
  const admin = tokens.find((entry) => entry.role === "global_admin");
  const page = await client(base, admin.token).getCustomersDashboard({}).catch(() => undefined);
  return page?.cards[0]?.value?.kind.value > 0n;
}

let started;

/** The one demo of all tests, with the tokens of its people. */
export async function theDemo() {
  started ??= startDemo(80).then(async (demo) => {
    const tokens = Object.fromEntries((await signIns(demo.base)).map(({ role, token }) => [role, token]));
    return { ...demo, tokens, api: (role, language) => client(demo.base, tokens[role], language) };
  });
  return started;
}

/** Ends the demo. */
export const stopDemo = async () => (await started)?.stop();

/** The demo's sign-ins. */
export async function signIns(base) {
  return (await fetch(`${base}/dev/tokens.json`)).json();
}

/** A client with somebody's token, in a language. */
export function client(base, token, language = "en") {
  const authorise = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    request.header.set("accept-language", language);
    return next(request);
  };
  const transport = createGrpcWebTransport({ baseUrl: base, interceptors: [authorise] });
  return Object.assign(createClient(ReportingService, transport), { ingestion: createClient(IngestionService, transport) });
}

let browser;

/** A page of a fresh profile, and everything that went wrong in it. The page takes the day after the data's end for today. */
export async function openPage(base, { now = PAGE_NOW, from = [], ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  if (now) await page.clock.setFixedTime(new Date(now));
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (![base, ...from].includes(url.origin) && !["data:", "blob:"].includes(url.protocol)) faults.push(`a request to ${url.origin}`);
  });
  await page.goto(base);
  return { page, context, faults, close: () => context.close() };
}

/** Ends the browser. */
export const closeBrowser = () => browser?.close();

/** Signs in as one of the demo's people. */
export async function signInAs(page, role) {
  await page.locator(`[data-role=${role}]`).click();
  await page.locator("[data-testid=who]").waitFor();
}

/** A page with somebody of the demo signed in. */
export async function personPage(base, role, options) {
  const opened = await openPage(base, options);
  await signInAs(opened.page, role);
  return opened;
}

/** Goes to an address and waits until its dashboard is there. */
export async function visit(page, base, path) {
  await page.goto(base + path);
  await loaded(page);
}

/** Waits until a dashboard of the current address is there. */
export async function loaded(page) {
  await page.locator("[data-testid=coverage][aria-busy=false]").waitFor();
}

/** Waits until something holds. */
export async function until(holds, what) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

/** What axe finds against WCAG 2.2 AA and its best practices. */
export async function accessibilityFaults(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`);
}

/** How far a page is wider than its window. */
export const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
