import { useEffect, useState } from "react";

import { developmentTokens, signIn, type DevelopmentToken } from "../app/session";
import { texts } from "../app/texts";
import { LanguagePicker } from "./LanguagePicker";
import { ThemeToggle } from "./ThemeToggle";

/** Sign-in by choosing one of the demo's roles, or by pasting a token. */
export function SignIn() {
  const [ready, setReady] = useState<DevelopmentToken[]>([]);
  const say = texts();
  const [text, setText] = useState("");
  useEffect(() => {
    document.title = `${say.signIn} · Partner Insights`;
    const controller = new AbortController();
    developmentTokens(controller.signal)
      .then(setReady)
      .catch(() => setReady([]));
    return () => controller.abort();
  }, []);
  return (
    <main className="sign-in">
      <section className="panel" aria-labelledby="sign-in-title">
        <div className="brand">
          <img src="/icon.svg" alt="" width="36" height="36" />
          <h1 id="sign-in-title">Partner Insights</h1>
        </div>
        {ready.length > 0 && (
          <>
            <p>{say.demoSignIn}</p>
            <ul className="roles">
              {ready.map((entry) => (
                <li key={entry.role}>
                  <button type="button" data-role={entry.role} onClick={() => signIn(entry.token)}>
                    {entry.name}
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) signIn(text);
          }}
        >
          <label htmlFor="token">{ready.length > 0 ? say.orPasteToken : say.pasteToken}</label>
          <textarea
            id="token"
            rows={4}
            spellCheck={false}
            autoComplete="off"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="primary" disabled={text.trim() === ""}>
            {say.signIn}
          </button>
        </form>
      </section>
      <div className="preferences">
        <LanguagePicker />
        <ThemeToggle />
      </div>
    </main>
  );
}
