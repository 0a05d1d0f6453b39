# What pages, sections, figures, measures, dimensions and reasons are called. The names are those of the API's enums.

## Pages

page-customers = Customers
page-dynamics-usage = Dynamics usage
page-licence-adoption = Licence adoption
page-download-reports = Download reports
page-glossary = Terminology
page-audit = Audit
page-advice = Advice

## Sections

section-summary = Summary
section-geographical-spread = Geographical spread of your customers
section-customer-adds-and-churns = Customer adds and churns
section-customer-distribution = Customer distribution
section-customers-by-product = Customers by product
section-customer-distribution-trend = Customer distribution trend
section-active-customers = Active customers
section-usage-by-geography = Usage by geography
section-usage-by-sku = Usage by SKU
section-subscription-performance = Subscription performance
section-usage-distribution = Usage distribution
section-adoption-by-product = Deployment and usage by product
section-adoption-by-service = Usage by service
section-reasons = Why a usage % is what it is
section-offering-training = Offering training

## Figures

figure-customers = Customers
figure-active-customers = Active customers
figure-customers-added = Customers added
figure-customers-churned = Customers churned
figure-subscriptions = Subscriptions
figure-available-seats = Available seats
figure-assigned-seats = Assigned seats
figure-active-seats = Active seats
figure-active-usage-percent = Active usage %
figure-deployment-percent = Deployment %
figure-usage-percent-users = Usage % · users
figure-usage-percent-entitlements = Usage % · entitlements
figure-active-users = Active users
figure-total-users = Total users
figure-deployment-opportunity = Unassigned seats
figure-idle-seats = Idle seats
figure-net-added = Net added
figure-last-month-churn = Churned in the last month

## Why a figure is not defined

undefined-reason-seats-by-service = Seats are not defined by service.
undefined-reason-too-many-groups = There are too many groups to ask for together.

## Measures

measure-customers = Customers
measure-active-customers = Active customers
measure-new = New
measure-existing = Existing
measure-churned = Churned
measure-returning = Returning
measure-subscriptions = Subscriptions
measure-available = Available
measure-assigned = Assigned
measure-active = Active
measure-new-seats = New seats
measure-deployment-opportunity = Unassigned
measure-active-usage-percent = Active usage %
measure-deployment-percent = Deployment %
measure-active-users = Active users
measure-total-users = Total users
measure-usage-percent = Usage %
measure-active-entitlements = Active entitlements
measure-total-entitlements = Total entitlements
measure-billed-revenue = Billed revenue
measure-idle-seats = Idle

## Dimensions

dimension-country = Market
dimension-segment = Segment
dimension-industry = Industry
dimension-customer = Customer
dimension-product = Product
dimension-sku = SKU
dimension-service = Service
dimension-location = Partner location
dimension-attribution-type = Attribution type
dimension-sales-channel = Sales channel
dimension-pricing-model = Pricing model
dimension-seller = Seller
dimension-trial = Trial
dimension-standing = Standing
dimension-subscription = Subscription

## Bases, scopes, sources

basis-users = Users
basis-entitlements = Entitlements
scope-sold-or-managed = Sold or managed by you
scope-all-sellers = All sellers
scope-own = Sold by you
source-computed = Computed from detail
source-reported = As reported
source-mixed = Computed and reported

## Reasons

reason-trial = Trial
reason-not-in-good-standing = Not in good standing
reason-free = Free SKU
reason-license-transferred = Licence transferred
reason-unlicensed-use = Use without a licence
reason-over-assigned = Assigned beyond the seats

## How changes are reckoned

change-kind-stock = Change against the end of the month before the range
change-kind-flow = Change against the preceding range
change-kind-churn = Share of the customers at the end of the month before the range
change-kind-points = Percentage points against the end of the month before the range

## Roles

role-global-admin = Global admin
role-account-admin = Account admin
role-user-management-admin = User management admin
role-admin-agent = Admin agent
role-sales-agent = Sales agent
role-report-viewer = Report viewer
role-executive-report-viewer = Executive report viewer
role-data-source = Data source

## Exports

export-state-waiting = Waiting
export-state-running = Running
export-state-done = Done
export-state-failed = Failed
export-state-cancelled = Cancelled
export-report-customers = Customers
export-report-subscriptions = Subscriptions
export-report-office-usage = Office usage
export-report-dynamics-usage = Dynamics usage
export-report-licence-usage = Licence usage

## Advice

advice-code-low-adoption = Low adoption
advice-code-how-to-cases = How-to questions
advice-code-unassigned-before-renewal = Unassigned seats before a renewal
advice-code-idle-seats = Idle seats
advice-code-trial-ending = Trial ends soon
advice-code-seats-nearly-exhausted = Seats nearly used up
advice-code-steady-decline = Steady decline
evidence-kind-available-seats = Available seats
evidence-kind-assigned-seats = Assigned seats
evidence-kind-active-seats = Active seats
evidence-kind-unassigned-seats = Unassigned seats
evidence-kind-idle-seats = Idle seats
evidence-kind-how-to-cases = How-to cases
evidence-kind-support-cases = Support cases

## The glossary

glossary-kind-word = Word
glossary-kind-measure = Measure
glossary-kind-range-figure = Figure over a range
glossary-kind-standing = Standing
glossary-kind-scope = Scope
glossary-kind-basis = Base of usage %
glossary-kind-reason = Reason
glossary-kind-dimension = Dimension
glossary-kind-mark = Mark of an answer
