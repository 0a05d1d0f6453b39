//! What the terminal says around its figures.

use super::{Language, message};

macro_rules! sentences {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// A sentence, or a heading that no enum of the API stands for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sentence {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Sentence {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The id of its message.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }
        }
    };
}

sentences! {
    /// `from`, `to`, `complete`: what a report covers.
    Covers = "report-covers",
    /// The last month is under way.
    UnderWay = "report-under-way",
    /// `count`: months of an import that are not shown.
    ImportMoreMonths = "import-more-months",
    /// `months`: months of an import that no report covers.
    ImportCarried = "import-carried",
    /// `month`, `measure`, `before`, `after`, `percent`: a figure that moved far.
    ImportMoved = "import-moved",
    /// `said`, `count`: what is said of one month holds of others.
    ImportMovedElsewhere = "import-moved-elsewhere",
    /// `said`, `reasons`: what is said, and why it may be so.
    ImportBecause = "import-because",
    /// The heading over figures.
    Now = "report-now",
    /// The heading over changes.
    Change = "report-change",
    /// The heading over small charts.
    Trend = "report-trend",
    /// Percentage points, short.
    Points = "report-points",
    /// `dimension`: the heading over groups.
    By = "report-by",
    /// `count`: so many are covered.
    Covered = "report-covered",
    /// `count`, `reason`: so many for a reason.
    Reason = "report-reason",
    /// `count`: groups that are not shown.
    More = "report-more",
    /// The missing value of a dimension.
    Missing = "report-missing",
    /// Activity is a lower bound.
    LowerBound = "report-lower-bound",
    /// A month that nobody reported takes over the one before.
    Carried = "report-carried",
    /// `month`: the earliest with data.
    EarliestMonth = "report-earliest-month",
    /// Something was left out.
    Redacted = "report-redacted",
    /// The heading over parts of a whole.
    Share = "report-share",
    /// The heading over first days.
    Start = "report-start",
    /// The heading over last days.
    End = "report-end",
    /// Of the customers with the highest billed revenue.
    TopByRevenue = "report-top-by-revenue",
    /// Of the customers with the most available seats.
    TopBySeats = "report-top-by-seats",
    /// The heading before what is wrong.
    Problem = "report-problem",
    /// The heading before figures.
    Figures = "report-figures",
    /// The heading before why it may be so.
    Consider = "report-consider",
    /// The heading before what to do.
    ToTry = "report-to-try",
    /// `count`: advice that is not shown.
    MoreAdvice = "report-more-advice",
    /// Not every customer was looked at.
    AdviceIncomplete = "report-advice-incomplete",
    /// `change`, `base`: a change of a flow, and the months it is measured against.
    Against = "report-against",
    /// `change`, `month`: a change since the end of a month.
    Since = "report-since",
    /// `percent`: customers churned over those before.
    Churn = "report-churn",
    /// The heading over months, after `by`.
    Month = "report-month",
    /// What the months sum to.
    Total = "report-total",
    /// `count`: groups beyond the largest, taken together.
    Others = "report-others",
    /// The title of the usage report of products that were named.
    Usage = "report-usage",
    /// The word before the products shown.
    Products = "report-products",
    /// `text`: what was searched for.
    Search = "report-search",
    /// `text`: only markets with this in their code.
    CountrySearch = "report-country-search",
    /// Grace counts as good standing.
    WithGrace = "report-with-grace",
    /// Free SKUs are counted.
    WithFree = "report-with-free",
    /// No subscription was found.
    NoSubscriptions = "report-no-subscriptions",
    /// Nothing was found to advise.
    NoAdvice = "report-no-advice",
    /// `dimension`: a section without groups.
    NoGroups = "report-no-groups",
    /// `dimension`, `value`: a value that is not known.
    Unknown = "report-unknown",
    /// `dimension`, `value`: a value that the last months do not have.
    UnknownLately = "report-unknown-lately",
    /// `values`: values that are known.
    Similar = "report-similar",
    /// Groups may sum to more than the whole.
    Overlapping = "terminal-overlapping",
    /// `day`: how far the data is complete.
    CompleteThrough = "terminal-complete-through",
    /// A preview is not all.
    MoreRows = "terminal-more-rows",
    /// `language`, `known`: a language that is not spoken.
    UnknownLanguage = "terminal-unknown-language",
    /// Yes.
    Yes = "terminal-yes",
    /// The heading over times.
    AuditTime = "audit-time",
    /// The heading over callers.
    AuditWho = "audit-who",
    /// The heading over roles.
    AuditRoles = "audit-roles",
    /// The heading over methods.
    AuditMethod = "audit-method",
    /// The heading over outcomes.
    AuditOutcome = "audit-outcome",
    /// The heading over answers that left something out.
    AuditRedacted = "audit-redacted",
    /// The heading over what was asked.
    AuditAsked = "audit-asked",
    /// The heading over numbers of rows.
    Rows = "terminal-rows",
    /// An export’s id.
    ExportId = "export-id",
    /// An export’s state.
    ExportStateOf = "export-state",
    /// How much of an export is written.
    ExportWritten = "export-written",
    /// An export’s size.
    ExportBytes = "export-bytes",
    /// An export’s file.
    ExportFile = "export-file",
    /// The heading over what is said of an export.
    Export = "export-heading",
    /// Its checksum.
    ExportSha256 = "export-sha256",
    /// The version of the data.
    ExportVersion = "export-version",
    /// How far the data is complete.
    ExportComplete = "export-complete-through",
    /// How often it was begun.
    ExportAttempts = "export-attempts",
    /// Why there is none.
    ExportFailure = "export-failure",
    /// When it was ordered.
    ExportCreated = "export-create-time",
    /// When it ended.
    ExportEnded = "export-end-time",
    /// Until when it is kept.
    ExportExpires = "export-expire-time",
    /// Something is to do.
    DoctorTodo = "doctor-todo",
    /// One thing is to do.
    DoctorOne = "doctor-one",
    /// `count`: so many things are to do.
    DoctorMany = "doctor-many",
    /// The data directory.
    DoctorDataDir = "doctor-data-directory",
    /// The token.
    DoctorToken = "doctor-token",
    /// The server.
    DoctorServer = "doctor-server",
    /// The caller.
    DoctorCaller = "doctor-caller",
    /// The facts.
    DoctorFacts = "doctor-facts",
    /// Rejected records.
    DoctorQuarantine = "doctor-quarantine",
    /// Records that wait.
    DoctorWaiting = "doctor-waiting",
    /// The figures.
    DoctorFigures = "doctor-figures",
    /// `path`: a directory that is not there.
    DoctorNoDir = "doctor-no-directory",
    /// `path`: a directory that cannot be written.
    DoctorReadOnly = "doctor-read-only",
    /// What to do about it.
    DoctorReadOnlyTry = "doctor-read-only-try",
    /// `path`: a file that cannot be read.
    DoctorUnreadable = "doctor-unreadable",
    /// `path`: a file without a token.
    DoctorNoToken = "doctor-no-token",
    /// `path`: a token that has expired.
    DoctorExpired = "doctor-expired",
    /// `path`, `minutes`: a token that is good.
    DoctorGood = "doctor-good",
    /// How to come by a token.
    DoctorTokenTry = "doctor-token-try",
    /// `server`: it answers.
    DoctorAnswers = "doctor-answers",
    /// How to come by a server.
    DoctorServerTry = "doctor-server-try",
    /// `partner`, `roles`: whom the server takes the caller for.
    DoctorMe = "doctor-me",
    /// What to do when it does not know them.
    DoctorMeTry = "doctor-me-try",
    /// Where to look.
    DoctorLogTry = "doctor-log-try",
    /// There are no facts.
    DoctorNoFacts = "doctor-no-facts",
    /// How to come by facts.
    DoctorNoFactsTry = "doctor-no-facts-try",
    /// `version`, `day`: how far the facts go.
    DoctorComplete = "doctor-complete",
    /// `count`: records that were rejected.
    DoctorRejected = "doctor-rejected",
    /// What to do about them.
    DoctorRejectedTry = "doctor-rejected-try",
    /// `count`: records that wait.
    DoctorWait = "doctor-wait",
    /// What to do about them.
    DoctorWaitTry = "doctor-wait-try",
    /// `version`, `count`: how far the figures are behind.
    DoctorBehind = "doctor-behind",
    /// What a thing that `doctor` looks at is called: the server's clock.
    DoctorClock = "doctor-clock",
    /// The clock is behind what was received.
    DoctorClockBehind = "doctor-clock-behind",
    /// The clock is not the database's.
    DoctorClockApart = "doctor-clock-apart",
    /// What to do about a wrong clock.
    DoctorClockTry = "doctor-clock-try",
    /// What a thing that `doctor` looks at is called: a database.
    DoctorDatabase = "doctor-database",
    /// A database that can be read whole.
    DoctorSound = "doctor-sound",
    /// A database that cannot be read.
    DoctorDamaged = "doctor-damaged",
    /// What to do about damaged facts.
    DoctorDamagedFacts = "doctor-damaged-facts",
    /// What to do about damaged figures.
    DoctorDamagedFigures = "doctor-damaged-figures",
    /// What to do about a damaged audit.
    DoctorDamagedAudit = "doctor-damaged-audit",
    /// Others may read a file.
    DoctorOpen = "doctor-open",
    /// What to do about a file that others may read.
    DoctorOpenTry = "doctor-open-try",
    /// Rejected records that made room.
    DoctorDropped = "doctor-dropped",
    /// What to do about records that made room.
    DoctorDroppedTry = "doctor-dropped-try",
    /// How many calls an entry of the audit is.
    AuditCalls = "audit-calls",
    /// The heading over services that keep something.
    ErasePlace = "erase-place",
    /// The heading over kinds of what is kept.
    EraseKind = "erase-kind",
    /// The heading over how much of it.
    EraseCount = "erase-count",
    /// It was erased before.
    EraseKnown = "erase-known",
    /// What an erasure does not reach.
    EraseUnreached = "erase-unreached",
    /// `command`: how to erase what was shown.
    EraseConfirm = "erase-confirm",
    /// `version`: the figures without the erased.
    EraseDone = "erase-done",
    /// Records of the erased may come again.
    EraseAllowed = "erase-allowed",
    /// Nothing was refused.
    EraseNotErased = "erase-not-erased",
}

impl Sentence {
    /// It in a language, with its values.
    #[must_use]
    pub fn say(self, language: Language, values: &[(&str, &str)]) -> String {
        message(language, self.id(), None, values).unwrap_or_default()
    }
}
