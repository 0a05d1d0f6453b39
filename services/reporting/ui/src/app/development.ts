// The ready sign-ins of the demo; none outside a demo.
export type DevelopmentToken = { role: string; name: string; token: string };

export async function developmentTokens(signal: AbortSignal): Promise<DevelopmentToken[]> {
  const response = await fetch("/dev/tokens.json", { signal, headers: { accept: "application/json" } });
  if (!response.ok) return [];
  const body: unknown = await response.json();
  return Array.isArray(body) ? body.filter(isToken) : [];
}

function isToken(entry: unknown): entry is DevelopmentToken {
  return (
    typeof entry === "object" &&
    entry !== null &&
    ["role", "name", "token"].every((key) => typeof (entry as Record<string, unknown>)[key] === "string")
  );
}
