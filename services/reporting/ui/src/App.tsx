import { useEffect, useState } from "react";

import { access, mayCall } from "./app/client";
import { useLanguage } from "./app/language";
import { useLoad } from "./app/load";
import { signOut, useToken } from "./app/session";
import { texts } from "./app/texts";
import { go, useView } from "./app/url";
import { loadWords, useWords, WordsProvider } from "./app/words";
import { LanguagePicker } from "./components/LanguagePicker";
import { Failure, Skeleton } from "./components/States";
import { SignIn } from "./components/SignIn";
import { ThemeToggle } from "./components/ThemeToggle";
import type { WhoAmIResponse } from "./gen/insights/access/v1/access_pb";
import { RoleSchema } from "./gen/insights/access/v1/options_pb";
import { ReportingService } from "./gen/insights/reporting/v1/reporting_pb";
import { Page, PageSchema } from "./gen/insights/reporting/v1/words_pb";
import { CustomersPage } from "./pages/customers";
import { DynamicsUsagePage } from "./pages/dynamics-usage";
import { LicenceAdoptionPage } from "./pages/licence-adoption";

const pages = [
  {
    path: "/customers",
    page: Page.CUSTOMERS,
    method: ReportingService.method.getCustomersDashboard,
    Dashboard: CustomersPage,
  },
  {
    path: "/dynamics-usage",
    page: Page.DYNAMICS_USAGE,
    method: ReportingService.method.getDynamicsUsageDashboard,
    Dashboard: DynamicsUsagePage,
  },
  {
    path: "/licence-adoption",
    page: Page.LICENCE_ADOPTION,
    method: ReportingService.method.getLicenceAdoptionDashboard,
    Dashboard: LicenceAdoptionPage,
  },
];

export function App() {
  const token = useToken();
  const language = useLanguage();
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  // The key remounts the page when the language changes, so that everything is loaded in that language.
  return token === null ? <SignIn key={language} /> : <Session key={`${language}/${token}`} />;
}

function Session() {
  const me = useLoad("who-am-i", async (signal) => {
    const who = await access.whoAmI({}, { signal });
    // A caller without roles may not call GetWords, and sees no dashboard.
    return { who, words: who.roles.length > 0 ? await loadWords(signal) : undefined };
  });
  if (me.data) {
    const shell = <Shell me={me.data.who} />;
    return me.data.words ? <WordsProvider value={me.data.words}>{shell}</WordsProvider> : shell;
  }
  return (
    <main className="alone">
      {me.error ? <Failure error={me.error} again={me.again} /> : <Skeleton />}
      {me.error && (
        <button type="button" className="quiet" onClick={signOut}>
          {texts().signOut}
        </button>
      )}
    </main>
  );
}

function Shell({ me }: { me: WhoAmIResponse }) {
  const view = useView();
  const { title } = useWords();
  const text = texts();
  const mine = pages.filter((page) => mayCall(page.method, me.roles));
  const page = pages.find((candidate) => candidate.path === view.path) ?? mine[0];
  const [menu, setMenu] = useState(false);
  const name = page ? title(PageSchema, page.page) : "";
  useEffect(() => {
    document.title = name ? `${name} · Partner Insights` : "Partner Insights";
  }, [name]);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {text.skip}
      </a>
      <header className="top">
        <div className="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>Partner Insights</span>
        </div>
        <button type="button" className="menu quiet" aria-expanded={menu} onClick={() => setMenu(!menu)}>
          {text.menu}
        </button>
        <nav aria-label={text.dashboards} className={menu ? "open" : undefined}>
          {mine.map(({ path, page: named }) => (
            <a
              key={path}
              href={path}
              aria-current={path === page?.path ? "page" : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                setMenu(false);
                go(path, new URLSearchParams());
              }}
            >
              {title(PageSchema, named)}
            </a>
          ))}
        </nav>
        <div className="who">
          <span className="who-name" data-testid="who">
            <strong>{me.partner}</strong>
            <small>{me.roles.map((role) => title(RoleSchema, role)).join(", ") || text.noRole}</small>
            {me.locations.length > 0 && <small>{text.locations(me.locations.join(", "))}</small>}
          </span>
          <LanguagePicker />
          <ThemeToggle />
          <button type="button" className="quiet" onClick={signOut}>
            {text.signOut}
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {page ? <page.Dashboard key={page.path} /> : <NoPages />}
      </main>
    </div>
  );
}

function NoPages() {
  return (
    <section className="state" role="status">
      <h1>{texts().noDashboard}</h1>
      <p>{texts().noDashboardHint}</p>
    </section>
  );
}
