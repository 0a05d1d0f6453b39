# What only the web page says: its buttons, hints and states. It is built into the page (services/reporting/ui/build/messages.mjs).

## Pages and getting about

home = Home
customer-page = Customer
data-health = Data health
pages = Pages
menu = Menu
skip = Skip to content
language = Language
to-dark = Switch to dark colours
to-light = Switch to light colours
find-customer = Find a customer
customers-found = Customers found
records-aside = { $count } records in quarantine or waiting
unknown-page = There is no such page
unknown-page-hint = The address leads nowhere. These are the pages that you may see:
failed-roles = Your roles do not include this page
roles-hint = Your company's Global admin gives roles. These are the pages that you may see:
no-dashboard-hint = Your sign-in is valid, but none of its roles may read a dashboard. Your company's Global admin gives roles.
no-role = No role
locations = Only locations { $ids }
close = Close
cancel = Cancel
apply = Apply
search = Search
search-for = Search { $label }
nothing-found = Nothing found.
and-more = There are more: search for them.
show-more = Show more
show-fewer = Show fewer
show-all = Show all { $count }
anything = Any

## Signing in and out

sign-in = Sign in
sign-out = Sign out
sign-in-at = Sign in at { $provider }
provider-unreachable = The identity provider cannot be reached now.
demo-sign-in = This is a demo: sign in as one of its people.
with-token = With a token
paste-token = Paste your token, such as one of “insights token”
ended-signed-out = You are signed out.
ended-expired = Your sign-in has expired. Sign in again, and you are back where you were.
ended-refused = This token is not accepted. It may be damaged, have expired, or be meant for another server.
ended-provider = The identity provider did not sign you in. Try again.
session-ends = Your sign-in ends at { $time }. Sign out and in again to go on.
persona-global-admin = Global admin – everything, revenue and audit too
persona-account-admin = Account admin – Dynamics usage
persona-user-management-admin = User management admin – licence adoption and advice
persona-admin-agent = Admin agent – every dashboard, without revenue
persona-sales-agent = Sales agent – licence adoption and advice
persona-report-viewer = Report viewer – customers and Dynamics usage
persona-executive-report-viewer = Executive report viewer – the same, with revenue

## Range and filters

page-filters = Page filters
filters = Filters
range = Range
months = { $count } months
custom = Custom
first-month = First month
last-month = Last month
month = Month
scope = Scope
add-filter = Add a filter
filters-in-force = Filters in force
filter-by = Show only { $value }
remove-filter = Remove the filter { $label } { $value }
clear-all = Clear all
not-here = (not on this page)
include-grace = Include grace
include-free = Include free
free-hint = Free SKUs come with pools of thousands of seats that nobody bought: with them, seat totals say little and percentages are close to zero.
compare = Compare with the range before
before-range = { $name }, range before
usage-of = Usage % of
all-products = All Dynamics 365
missing = (none)
value-trial = Trial
value-paid = Paid
value-own = Sold by you
value-other = Another partner
value-direct = Direct

## What a page covers

complete-through = complete through { $day }
complete-through-title = Complete through
version = version { $version }
version-title = Version
old-data = data ends { $days } days ago
old-data-hint = Nothing newer was imported. Figures are those of the day on which the data ends.
partial = { $month } is partial *
partial-hint = The data does not reach the end of the last month yet: its figures will still move.
lower-bound = activity is a lower bound
lower-bound-hint = Of some activity only the last date is known: the true figures may be greater.
carried = months without a report
carried-hint = Nobody reported some months between two that were: seats are those of the month before, use is unknown.
hidden-fields = some fields are hidden
hidden-fields-hint = Your roles do not see everything that was asked for, such as revenue.
as-of = These are the figures as they stood on { $time }, not today's.
show-now = Show today's
new-figures = New figures are in.
show-them = Show them
away-hint = The server cannot be reached. These are the figures of before.

## Empty, loading, failed

loading = Loading
loading-now = Loading …
not-drawn = This page could not be drawn.
nothing-matches = Nothing matches the filters in this range.
no-trend = no trend
no-dynamics = No product in the catalogue has a name that begins with “Dynamics 365”.
empty-title = There is no data yet
empty-import = Import the files that you can download from Partner Center, or records of your own:
empty-more = “insights import --help” lists every format. The page fills as soon as the first file is in.
empty-ask = Ask your company's Global admin or Admin agent to import data; this page fills as soon as the first file is in.
try-again = Try again
failed = The figures could not be loaded
failed-deadline = The figures took too long
failed-exhausted = Too many requests at once
failed-filters = These filters cannot be answered
failed-not-found = There is no such customer
failed-unavailable = The figures cannot be reached now

## Figures and changes

definition-of = { $name }: what it means
formula = Formula:
worked-example = Example { $number }:
in-glossary = In the glossary
by-month = { $label } by month
value-of = { $label } of { $name }
named-figure = { $name }: { $figure }
of-whole = { $part } of { $whole }
on-base = { $part } on { $whole }
of-customers = { $percent } of the customers of { $month }
points = pts
change-since = Change since { $base }
since = since { $base }
against = against { $base }
change-against-end = against the end of
change-against = against
change-of-customers = of the customers at the end of
no-base = no base to compare with
no-change = No change { $base }: { $reason }.
no-change-no-data = there is no data for it
no-change-zero = it was 0 then
why = why
why-of = Why { $label } is more than 100 %
over-hundred = More than 100 %: { $fraction }.
over-deployed = More users hold a seat than seats were sold.
reasons-caption = { $numerator } active against { $denominator } ({ $basis })
covered = Covered by the total
other = Other
overlapping = overlapping
overlapping-hint = Something may belong to several of these, so they can sum to more than the whole.
trend = Trend

## Charts and tables

table = { $title }, table
show-table = Show table
show-chart = Show chart
chart-hint = { $title }, a chart; its figures are in the table
legend-of = Legend of { $title }
zoom-from = Chart from
zoom-to = Chart to
draw = Draw { $name }
split-by = Split by
all-groups = All groups
largest-groups = Five largest
other-groups = { $count } others
returning-among-new = { $returning } (among “{ $fresh }”)
skus-of = SKUs of { $product }
map = Map
map-of = Map: { $title }
map-hint = Point at a country to read its figures; choose it to zoom.
map-home = Whole world
find-country = Find a country
zoom-to-country = Show { $name } on the map
seats-by-month = Seats and usage by month
which-seats = Which seats
usage-of-product = Usage of { $product }
deployment-by-month = Deployment and usage by month
adoption-by-customer = By customer, those with the most seats
adoption-scope = Office counts OneDrive together with SharePoint. All sellers' licences are shown unless the scope says otherwise.

## Subscriptions

all-subscriptions = All subscriptions
its-subscriptions = Subscriptions
every-subscription = Every subscription, by customer.
ranked-by = The 100 customers that rank highest by “{ $measure }”.
shown-subscriptions = { $count ->
    [one] { $text } subscription shown.
   *[other] { $text } subscriptions shown.
    }
all-of-them = All, not only the top 100
plan = SKU
start = Start
end = End

## Advice

advice-hint = Customers to look after first, most at stake first
advice-by-rule = Advice by rule
advice-incomplete = There are so many customers that only those with the most seats, unassigned seats and idle seats were looked at.
no-advice = Nothing to advise here.
what-to-try = What to try
problem = Problem:
consider = What to consider:
to-try = What to try:

## Files

export-it = Export
export-of = Export: { $title }
export-shown = What this shows
export-whole = All the rows behind it
to-downloads = All files
downloads-hint = Files are written in the background, from one version of the figures, and kept for some days.
new-export = New file
report = Report
format = Format
order-it = Write the file
first-rows = First rows
your-exports = Your files
no-exports = You have ordered no files yet.
rows = { $count ->
    [one] { $text } row
   *[other] { $text } rows
    }
kept-until = kept until { $time }
download = Download
download-checked = Downloaded; the checksum is right.
download-handed-over = The browser downloads it: compare the checksum.
download-failed = The download broke off. Try again.
stop = Stop
remove = Remove

## Data health

data-health-hint = How fresh the data is, what was refused and why, and what waits for what.
last-import = Last import
quarantined = Quarantined records
quarantined-hint = Records that were refused count nowhere. Mend their source and import again, or try them again here once what they lacked is there.
nothing-quarantined = Nothing is in quarantine.
replay = Try them again
replayed = Taken in: { $accepted }. Still in quarantine: { $rejected }.
waiting-records = Waiting records
waiting-hint = Records that came before what they refer to count as soon as that comes.
nothing-waits = Nothing waits.
missing-thing = Missing
field = Field
reason = Reason
kind = Kind
batch = Batch and position
received = Received
record = Record
show-record = Show

## Audit

audit-hint = Who read what, newest first. Reading it is audited too.
when = When
who = Who
roles = Roles
called = Called
outcome = Outcome
rows-title = Rows
asked = Asked
not-before = Not before
before = Before
