// The demo, a browser, and a client that asks the ReportingService the same questions as the page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { chromium } from "playwright-core";

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
async function freePort() {
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

/** Starts the demo in a directory of its own. */
export async function startDemo(customers = 120) {
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

/** The demo's sign-ins. */
export async function signIns(base) {
  return (await fetch(`${base}/dev/tokens.json`)).json();
}

/** A client with somebody's token. */
export function client(base, token) {
  const authorise = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createClient(ReportingService, createGrpcWebTransport({ baseUrl: base, interceptors: [authorise] }));
}

/** A page in a fresh profile, and everything that went wrong in it. */
export async function openPage(base, options = {}) {
  const profile = mkdtempSync(join(tmpdir(), "insights-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1360, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== base && url.protocol !== "data:") faults.push(`a request to ${url.origin}`);
  });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  await page.goto(base);
  return { page, faults, close };
}

/** Signs in as one of the demo's people. */
export async function signInAs(page, role) {
  await page.locator(`[data-role=${role}]`).click();
  await page.locator("[data-testid=who]").waitFor();
}

/** Waits until a dashboard of the current address is there. */
export async function loaded(page) {
  await page.locator("[data-testid=coverage][aria-busy=false]").waitFor();
}
