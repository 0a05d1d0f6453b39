import { useEffect, useState } from "react";

import { developmentTokens, type DevelopmentToken } from "../app/development";
import { goToProvider, type Offer } from "../app/provider";
import { signIn, type Ending } from "../app/session";
import { texts, type Texts } from "../app/texts";
import { LanguagePicker } from "./LanguagePicker";
import { ThemeToggle } from "./ThemeToggle";

/** Why somebody is asked to sign in again. */
const endings: Record<Ending, (text: Texts) => string> = {
  "signed-out": (text) => text.endedSignedOut,
  expired: (text) => text.endedExpired,
  refused: (text) => text.endedRefused,
  provider: (text) => text.endedProvider,
};

/** What each of the demo's people sees. */
const personas: Record<string, (text: Texts) => string> = {
  global_admin: (text) => text.personaGlobalAdmin,
  account_admin: (text) => text.personaAccountAdmin,
  user_management_admin: (text) => text.personaUserManagementAdmin,
  admin_agent: (text) => text.personaAdminAgent,
  sales_agent: (text) => text.personaSalesAgent,
  report_viewer: (text) => text.personaReportViewer,
  executive_report_viewer: (text) => text.personaExecutiveReportViewer,
};

/** Sign-in: at the identity provider, as one of the demo's people, or with a token. */
export function SignIn({ offer, ending }: { offer: Offer | undefined; ending: Ending | null }) {
  const [ready, setReady] = useState<DevelopmentToken[]>();
  const [unreachable, setUnreachable] = useState(false);
  const text = texts();
  useEffect(() => {
    document.title = `${text.signIn} · Partner Insights`;
    const controller = new AbortController();
    developmentTokens(controller.signal)
      .then(setReady)
      .catch(() => controller.signal.aborted || setReady([]));
    return () => controller.abort();
  }, []);
  const people = ready ?? [];
  return (
    <main className="sign-in">
      <section className="panel" aria-labelledby="sign-in-title">
        <div className="brand">
          <img src="/icon.svg" alt="" width="36" height="36" />
          <h1 id="sign-in-title">Partner Insights</h1>
        </div>
        {ending && (
          <p className={ending === "signed-out" ? "notice" : "notice warn"} role="status" data-testid="ending">
            {endings[ending](text)}
          </p>
        )}
        {unreachable && <p role="alert">{text.providerUnreachable}</p>}
        {offer && (
          <button type="button" className="primary" onClick={() => goToProvider(offer).catch(() => setUnreachable(true))}>
            {text.signInAt({ provider: new URL(offer.issuer).host })}
          </button>
        )}
        {people.length > 0 && (
          <>
            <p>{text.demoSignIn}</p>
            <ul className="roles">
              {people.map((entry) => (
                <li key={entry.role}>
                  <button type="button" data-role={entry.role} onClick={() => signIn(entry.token)}>
                    {personas[entry.role]?.(text) ?? entry.name}
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
        {ready && <TokenForm folded={people.length > 0 || offer !== undefined} />}
      </section>
      <div className="preferences">
        <LanguagePicker />
        <ThemeToggle />
      </div>
    </main>
  );
}

/** For tokens that come from elsewhere, such as `insights token`. */
function TokenForm({ folded }: { folded: boolean }) {
  const [token, setToken] = useState("");
  const text = texts();
  return (
    <details className="token" open={!folded}>
      <summary>{text.withToken}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim()) signIn(token);
        }}
      >
        <label htmlFor="token">{text.pasteToken}</label>
        <textarea id="token" rows={4} spellCheck={false} autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} />
        <button type="submit" className="primary" disabled={token.trim() === ""}>
          {text.signIn}
        </button>
      </form>
    </details>
  );
}
