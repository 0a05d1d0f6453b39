import { useEffect, useState, type ComponentType } from "react";

import { access } from "./app/client";
import { useLanguage } from "./app/language";
import { useLoad } from "./app/load";
import { MeProvider, useMe } from "./app/me";
import { pages, type PageEntry, type PageName } from "./app/pages";
import { finish, goToProvider, keepRenewed, leave, offer as offered, untried, type Offer } from "./app/provider";
import { endSession, useSession } from "./app/session";
import { texts } from "./app/texts";
import { useView } from "./app/url";
import { loadWords, WordsProvider } from "./app/words";
import { Shell } from "./components/Shell";
import { SignIn } from "./components/SignIn";
import { Failure, Skeleton } from "./components/States";
import { AuditPage } from "./pages/audit";
import { CustomerPage } from "./pages/customer";
import { CustomersPage } from "./pages/customers";
import { DataHealthPage } from "./pages/data-health";
import { DownloadsPage } from "./pages/downloads";
import { DynamicsUsagePage } from "./pages/dynamics-usage";
import { GlossaryPage } from "./pages/glossary";
import { HomePage } from "./pages/home";
import { LicenceAdoptionPage } from "./pages/licence-adoption";
import { SubscriptionsPage } from "./pages/subscriptions";
import { WayOn } from "./pages/WayOn";

const bodies: Record<PageName, ComponentType> = {
  home: HomePage,
  customers: CustomersPage,
  customer: CustomerPage,
  "dynamics-usage": DynamicsUsagePage,
  "licence-adoption": LicenceAdoptionPage,
  subscriptions: SubscriptionsPage,
  downloads: DownloadsPage,
  "data-health": DataHealthPage,
  glossary: GlossaryPage,
  audit: AuditPage,
};

export function App() {
  const { session, asking, ending } = useSession();
  const language = useLanguage();
  const provider = useProvider(session !== null, asking, ending !== null);
  useRenewal(provider.offer, session?.provider?.refresh !== undefined);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  if (session) {
    const signOut = () => void leave(provider.offer).catch(() => endSession("signed-out"));
    // The key loads everything anew in another language, or for another person.
    const key = session.provider ? language : `${language}/${session.token}`;
    return <Session key={key} renewed={session.provider?.refresh !== undefined} signOut={signOut} />;
  }
  if (asking || provider.busy) return <main className="alone"><Skeleton /></main>;
  return <SignIn key={language} offer={provider.offer} ending={ending} />;
}

/** The identity provider, if there is one; who comes back from it is signed in, who is signed in there is so here. */
function useProvider(signedIn: boolean, asking: boolean, ended: boolean): { offer: Offer | undefined; busy: boolean } {
  const [state, setState] = useState<{ offer: Offer | undefined; busy: boolean }>({ offer: undefined, busy: true });
  useEffect(() => {
    if (asking) return;
    const begin = async () => {
      const found = await offered().catch(() => undefined);
      if (found && !(await finish(found)) && !signedIn && !ended && untried()) {
        await goToProvider(found, true).catch(() => setState({ offer: found, busy: false }));
        return;
      }
      setState({ offer: found, busy: false });
    };
    void begin();
  }, [asking]);
  return state;
}

/** Renews a session of an identity provider while somebody is signed in. */
function useRenewal(offer: Offer | undefined, renewable: boolean): void {
  useEffect(() => {
    if (!offer || !renewable) return undefined;
    const controller = new AbortController();
    void keepRenewed(offer, controller.signal);
    return () => controller.abort();
  }, [offer, renewable]);
}

function Session({ renewed, signOut }: { renewed: boolean; signOut: () => void }) {
  const me = useLoad("who-am-i", async (signal) => {
    const who = await access.whoAmI({}, { signal });
    // A caller without roles may not call GetWords, and sees no page.
    return { who, words: who.roles.length > 0 ? await loadWords(signal) : undefined };
  });
  if (me.data) {
    const body = <Body renewed={renewed} signOut={signOut} />;
    return (
      <MeProvider value={me.data.who}>{me.data.words ? <WordsProvider value={me.data.words}>{body}</WordsProvider> : body}</MeProvider>
    );
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

function Body({ renewed, signOut }: { renewed: boolean; signOut: () => void }) {
  const { path } = useView();
  const { may, bound } = useMe();
  const text = texts();
  const mine = pages.filter((page) => page.methods.some(may) && !(page.whole && bound));
  const page = pages.find((candidate) => candidate.path === path);
  const allowed = page && mine.includes(page);
  return (
    <Shell pages={mine} page={page} renewed={renewed} signOut={signOut}>
      {allowed ? <Shown page={page} /> : <Missing page={page} mine={mine} text={text} />}
    </Shell>
  );
}

function Shown({ page }: { page: PageEntry }) {
  const Page = bodies[page.name];
  return <Page key={page.name} />;
}

function Missing({ page, mine, text }: { page: PageEntry | undefined; mine: PageEntry[]; text: ReturnType<typeof texts> }) {
  if (!page) return <WayOn title={text.unknownPage} hint={text.unknownPageHint} pages={mine} />;
  return <WayOn title={text.failedRoles} hint={mine.length > 1 ? text.rolesHint : text.noDashboardHint} pages={mine} />;
}
