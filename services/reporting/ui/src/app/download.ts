// Fetches the file of an export: in parts that go on where they broke off, compared with its checksum. What is too large to be
// kept here is left to the browser.
import type { Export } from "../gen/insights/reporting/v1/exports_pb";
import { reporting } from "./client";

/** Larger files are the browser's, in bytes. */
const LARGEST = 256 * 1024 * 1024;
const PART = 4 * 1024 * 1024;
const ATTEMPTS = 5;

export type Outcome = "checked" | "handed-over";

/** Saves the file; whether its checksum was compared. Progress is told in percent. */
export async function download(file: Export, progress: (percent: number) => void): Promise<Outcome> {
  const { path } = await reporting.createDownloadTicket({ id: file.id });
  const size = Number(file.bytes);
  if (size > LARGEST) {
    save(path, file.fileName);
    return "handed-over";
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let have = 0;
  while (have < size) {
    const part = await piece(path, have, Math.min(have + PART, size) - 1);
    parts.push(part);
    have += part.length;
    progress(Math.floor((100 * have) / size));
  }
  const body = new Blob(parts);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await body.arrayBuffer()));
  const sum = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sum !== file.sha256) throw new Error("checksum");
  const url = URL.createObjectURL(body);
  save(url, file.fileName);
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return "checked";
}

async function piece(path: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(path, { headers: { range: `bytes=${from}-${to}` } });
      if (response.status !== 206 && response.status !== 200) throw new Error(`${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (fault) {
      if (attempt === ATTEMPTS) throw fault;
      await new Promise((resolve) => window.setTimeout(resolve, 300 * attempt));
    }
  }
}

function save(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
