// The pages of the product: where they are, what they are called, and who may see them.
import type { DescMethod } from "@bufbuild/protobuf";

import { AccessService } from "../gen/insights/access/v1/access_pb";
import { IngestionService } from "../gen/insights/ingestion/v1/ingestion_pb";
import { ReportingService } from "../gen/insights/reporting/v1/reporting_pb";
import { Page, PageSchema, Section, SectionSchema } from "../gen/insights/reporting/v1/words_pb";
import type { Texts } from "./texts";
import type { Words } from "./words";

export type PageName =
  | "home" | "customers" | "dynamics-usage" | "licence-adoption" | "customer" | "subscriptions" | "downloads" | "data-health" | "glossary" | "audit";

export type PageEntry = {
  name: PageName;
  path: string;
  title: (words: Words, text: Texts) => string;
  /** Whoever may call one of these sees the page. */
  methods: DescMethod[];
  /** It shows what is of the whole partner, so not to who is bound to locations. */
  whole?: true;
  /** Reached from a name, not from the menu. */
  unlisted?: true;
};

const { method } = ReportingService;
const page = (named: Page) => (words: Words) => words.title(PageSchema, named);

export const pages: PageEntry[] = [
  {
    name: "home",
    path: "/",
    title: (_, text) => text.home,
    methods: [method.listAdvice, method.getCustomersDashboard, method.getDynamicsUsageDashboard, method.getLicenceAdoptionDashboard],
  },
  { name: "customers", path: "/customers", title: page(Page.CUSTOMERS), methods: [method.getCustomersDashboard] },
  { name: "dynamics-usage", path: "/dynamics-usage", title: page(Page.DYNAMICS_USAGE), methods: [method.getDynamicsUsageDashboard] },
  { name: "licence-adoption", path: "/licence-adoption", title: page(Page.LICENCE_ADOPTION), methods: [method.getLicenceAdoptionDashboard] },
  {
    name: "subscriptions",
    path: "/subscriptions",
    title: (words) => words.title(SectionSchema, Section.SUBSCRIPTION_PERFORMANCE),
    methods: [method.listSubscriptionPerformance],
  },
  {
    name: "customer",
    path: "/customer",
    title: (_, text) => text.customerPage,
    methods: [method.getLicenceAdoptionDashboard, method.listSubscriptionPerformance],
    unlisted: true,
  },
  { name: "downloads", path: "/downloads", title: page(Page.DOWNLOAD_REPORTS), methods: [method.listExports] },
  { name: "data-health", path: "/data-health", title: (_, text) => text.dataHealth, methods: [IngestionService.method.listRejections], whole: true },
  { name: "glossary", path: "/glossary", title: page(Page.GLOSSARY), methods: [AccessService.method.whoAmI] },
  { name: "audit", path: "/audit", title: page(Page.AUDIT), methods: [method.listAuditEntries], whole: true },
];
