import { useEffect, useState } from "react";

import { access, mayCall } from "./app/client";
import { roleName } from "./app/labels";
import { useLoad } from "./app/load";
import { signOut, useToken } from "./app/session";
import { go, useView } from "./app/url";
import { Failure, Skeleton } from "./components/States";
import { SignIn } from "./components/SignIn";
import { ThemeToggle } from "./components/ThemeToggle";
import type { WhoAmIResponse } from "./gen/insights/access/v1/access_pb";
import { ReportingService } from "./gen/insights/reporting/v1/reporting_pb";
import { CustomersPage } from "./pages/customers";
import { DynamicsUsagePage } from "./pages/dynamics-usage";
import { LicenceAdoptionPage } from "./pages/licence-adoption";

const pages = [
  { path: "/customers", title: "Customers", method: ReportingService.method.getCustomersDashboard, Page: CustomersPage },
  {
    path: "/dynamics-usage",
    title: "Dynamics usage",
    method: ReportingService.method.getDynamicsUsageDashboard,
    Page: DynamicsUsagePage,
  },
  {
    path: "/licence-adoption",
    title: "Licence adoption",
    method: ReportingService.method.getLicenceAdoptionDashboard,
    Page: LicenceAdoptionPage,
  },
];

export function App() {
  const token = useToken();
  return token === null ? <SignIn /> : <Session key={token} />;
}

function Session() {
  const me = useLoad("who-am-i", (signal) => access.whoAmI({}, { signal }));
  if (me.data) return <Shell me={me.data} />;
  return (
    <main className="alone">
      {me.error ? <Failure error={me.error} again={me.again} /> : <Skeleton />}
      {me.error && (
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      )}
    </main>
  );
}

function Shell({ me }: { me: WhoAmIResponse }) {
  const view = useView();
  const mine = pages.filter((page) => mayCall(page.method, me.roles));
  const page = pages.find((candidate) => candidate.path === view.path) ?? mine[0];
  const [menu, setMenu] = useState(false);
  useEffect(() => {
    document.title = page ? `${page.title} · Partner Insights` : "Partner Insights";
  }, [page]);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="top">
        <div className="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>Partner Insights</span>
        </div>
        <button type="button" className="menu quiet" aria-expanded={menu} onClick={() => setMenu(!menu)}>
          Menu
        </button>
        <nav aria-label="Dashboards" className={menu ? "open" : undefined}>
          {mine.map(({ path, title }) => (
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
              {title}
            </a>
          ))}
        </nav>
        <div className="who">
          <span className="who-name" data-testid="who">
            <strong>{me.partner}</strong>
            <small>{me.roles.map((role) => roleName[role]).join(", ") || "No role"}</small>
            {me.locations.length > 0 && <small>Locations: {me.locations.join(", ")}</small>}
          </span>
          <ThemeToggle />
          <button type="button" className="quiet" onClick={signOut}>
            Sign out
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {page ? <page.Page key={page.path} /> : <NoPages />}
      </main>
    </div>
  );
}

function NoPages() {
  return (
    <section className="state" role="status">
      <h1>No dashboard for your roles</h1>
      <p>Your sign-in is valid, but none of its roles may read a dashboard.</p>
    </section>
  );
}
