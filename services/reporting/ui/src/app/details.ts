// The field violations of an INVALID_ARGUMENT. google.rpc.BadRequest is small and fixed, so it is read here instead of
// carrying another schema.
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";

export type Violation = { field: string; description: string };

/** Field violations of an error. */
export function violations(error: ConnectError): Violation[] {
  return error.details.flatMap((detail) =>
    "type" in detail && detail.type === "google.rpc.BadRequest" ? badRequest(detail.value) : [],
  );
}

function badRequest(bytes: Uint8Array): Violation[] {
  const found: Violation[] = [];
  eachField(bytes, (number, value) => {
    if (number === 1) found.push(violation(value));
  });
  return found;
}

function violation(bytes: Uint8Array): Violation {
  const text = new TextDecoder();
  const parsed: Violation = { field: "", description: "" };
  eachField(bytes, (number, value) => {
    if (number === 1) parsed.field = text.decode(value);
    if (number === 2) parsed.description = text.decode(value);
  });
  return parsed;
}

function eachField(bytes: Uint8Array, visit: (number: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) visit(number, reader.bytes());
    else reader.skip(type, number);
  }
}
