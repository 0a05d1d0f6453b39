# The glossary: every word and number of the product. Terms without a title of their own have that of titles.ftl.
# d is a month's snapshot day, m a month.

## Words

term-partner = Partner
    .definition = The organisation whose staff read the reports. Nothing crosses partners. It has a time zone and a currency that its reports are in.
term-partner-location = Partner location
    .definition = One of the partner's offices (an MPN id), with a country.
term-service-fold = Services counted together
    .definition = OneDrive and OneDrive for Business are SharePoint, in records, catalogue and filters: they are counted together.
term-attribution = Attribution
    .definition = Why a subscription belongs to the partner: a partner location and a type such as CSP, CPOR, DPOR, PAL or DAP. A subscription has none, one or several.
term-seat = Seat
    .definition = One unit of a subscription's quantity. Sold seats are available seats.
term-assignment = Assignment
    .definition = A user holds a seat of a subscription from a day until, and not including, another.
term-activity = Activity
    .definition = A user used a service on a calendar day of the partner's time zone.
term-entitlement = Entitlement
    .definition = A seat that a user is entitled to use: its subscription is in good standing, so it is not suspended for fraud or non-payment, upgraded to another licence or cancelled.
term-snapshot-day = Snapshot day
    .definition = The day that stands for a month: its last day, or complete_through when that comes first. Written d.
term-complete-through = Complete through
    .definition = The last day up to which the data is complete: what the sources said, else the last day of any activity, else today.
term-window = 28-day window
    .definition = The days in which activity makes somebody active. Leap days, lengths of months and changes of the clock make no difference.
    .formula = d − 27 … d, both included, in calendar days
term-range = Range of months
    .definition = First to last month, both included. The ready ranges of 3, 6 and 12 months end with the month of complete_through.
term-match = Matches
    .definition = A subscription matches on a day when it and its customer satisfy every filter on that day; location and attribution type must hold on one and the same attribution. A group acts like one more filter.
term-good-standing = Good standing
    .definition = Active, not on a trial and not free. The switches include_grace and include_free widen it in seats, users and reasons, never in counts of customers.
    .formula = standing = ACTIVE and not trial and not free
term-restricting-services = Restricting services, R
    .definition = The services that activity is looked at for: those of the SKUs that satisfy the product and SKU filters together, and of them those of the service filter; all services without any of the three.
term-rollup-of-parts = Agreement
    .definition = Cards, charts, tables and exports obey the same filters and agree to the digit.
    .formula = card = last point of its series = sum of its parts that do not overlap = rows of its export
term-percentage = Percentage
    .definition = A ratio of sums, never a mean of ratios, and never cut off at 100. It travels with numerator and denominator and is empty when the denominator is 0.
    .formula = 100 × numerator / denominator; 124 of 474 is 26.16 %
term-covered = Covered
    .definition = The part of a usage percentage's numerator that its denominator covers. With the counts of the reasons it sums exactly to the numerator.
    .formula = covered = numerator − Σ reasons; covered ≤ denominator

## Measures

term-customers =
    .definition = Customers with at least one matching subscription that is ACTIVE on d. A trial counts, for its status is Active.
    .formula = number of customers with ≥ 1 matching subscription ACTIVE on d; customers(m) = customers(m − 1) + new(m) − churned(m)
term-active-customers =
    .definition = Customers counted on d with activity in the 28-day window on a restricting service by any of their users.
    .formula = number of customers of d with activity in the window on a service of R
term-new =
    .definition = Customers counted at the end of the month and not at the end of the one before. In the earliest month with data everybody is new.
    .formula = customers on d of m and not on d of m − 1
term-existing =
    .definition = Customers counted at the end of the month and at the end of the one before.
    .formula = customers on d of m and on d of m − 1
term-churned =
    .definition = Customers counted at the end of the month before and not at the end of this one: they have no subscription left with status Active.
    .formula = customers on d of m − 1 and not on d of m
term-returning =
    .definition = New customers that were counted, under the same filters, at the end of some earlier month.
    .formula = new(m), and counted at the end of some month before m − 1
term-subscriptions =
    .definition = Matching subscriptions that are ACTIVE on d.
    .formula = number of matching subscriptions ACTIVE on d
term-available =
    .definition = Seats of matching subscriptions in good standing: licences sold.
    .formula = Σ seats of matching subscriptions in good standing on d
term-assigned =
    .definition = Users assigned on d to matching subscriptions in good standing, counted per subscription. More than were sold is shown as it is.
    .formula = Σ users assigned on d, over matching subscriptions in good standing
term-active =
    .definition = Per matching subscription, distinct users who used a service of its SKU on a day of the window on which they held a seat of it, whatever the standing or trial flag of the subscription.
    .formula = Σ distinct users with use in the window while assigned, over matching subscriptions
term-new-seats =
    .definition = Available seats at the end of the month less those at the end of the one before.
    .formula = available(m) − available(m − 1), matching judged on each of the two days
term-deployment-opportunity =
    .definition = Seats that were sold and that nobody holds.
    .formula = Σ max(0, available − assigned), over matching subscriptions
term-idle-seats =
    .definition = Assigned seats whose holders did not use a service of the SKU in the window while they held them.
    .formula = Σ max(0, assigned − active users still assigned), over matching subscriptions in good standing
term-active-usage-percent =
    .definition = Active seats as a percentage of available seats.
    .formula = Σ active / Σ available
term-deployment-percent =
    .definition = Assigned licences as a percentage of sold licences.
    .formula = Σ assigned / Σ available
term-active-users =
    .definition = Distinct users, within each customer, with activity in the window on a restricting service, assigned or not.
    .formula = Σ over customers of distinct users with activity in the window on a service of R
term-total-users =
    .definition = Distinct users, within each customer, who on d are assigned to a matching subscription in good standing, or licensed for a restricting service by a source that names no subscription. By service they are also called qualified.
    .formula = Σ over customers of distinct users entitled on d
term-usage-percent =
    .definition = On the users basis, the default: active users as a percentage of total users. On the entitlements basis: active entitlements as a percentage of total entitlements.
    .formula = active_users / total_users, or active_entitlements / total_entitlements
term-active-entitlements =
    .definition = The same number as active, under the name of the entitlements basis.
    .formula = Σ active
term-total-entitlements =
    .definition = The same number as available, under the name of the entitlements basis.
    .formula = Σ available
term-billed-revenue =
    .definition = Revenue of matching subscriptions billed for the month, whatever their standing, never across currencies: several currencies give a row each. Only some roles see it.
    .formula = Σ revenue of matching subscriptions for m, by currency

## Figures over a range of months

term-added = Customers added
    .definition = New customers, summed over the months of the range. Not those of the first month with data, who came nobody knows when.
    .formula = Σ new
term-churned-over-range = Customers churned
    .definition = Churned customers, summed over the months of the range.
    .formula = Σ churned
term-net-added = Net added
    .definition = Customers added less customers churned.
    .formula = added − churned
term-last-month-churn = Last month's churn
    .definition = Customers churned in the last month of the range. Its change is against the month before it.
    .formula = churned(last month)
term-change-of-stock = Change of a stock
    .definition = How a number that is taken at the end of a month changed over the range. Empty when the base is 0 or lies before the stored data.
    .formula = (last month − base) / base, base = end of the month before the range
term-change-of-flow = Change of a flow
    .definition = How a number that is summed over a range changed against the preceding range of equal length. Empty when the base is 0, lies before the stored data or contains the first month with data.
    .formula = (range − preceding range) / preceding range
term-change-in-points = Change of a percentage
    .definition = How a percentage changed over the range, in percentage points.
    .formula = last month − end of the month before the range
term-churn-percent = Churn %
    .definition = Customers churned over the range as a percentage of the customers before it. Empty when there were none.
    .formula = churned / customers at the end of the month before the range
term-share = Share
    .definition = What a group, such as a country, contributes to a number.
    .formula = value of the group / sum over all groups

## Standings of subscriptions

term-standing-active = Active
    .definition = The customer counts, and the seats are in good standing unless on a trial or free. Source words: active, enabled, open, renewed.
term-standing-grace = Grace
    .definition = The customer does not count and the seats are not in good standing, unless include_grace says so. Source words: warning, in grace period, grace, expired.
term-standing-suspended = Suspended
    .definition = The customer does not count and the seats are not in good standing. Source words: suspended, locked out.
term-standing-disabled = Disabled
    .definition = The customer does not count and the seats are not in good standing. Source words: disabled, deprovisioned, deleted, cancelled, closed, inactive, churned.
term-standing-upgraded = Upgraded
    .definition = Replaced by another subscription, which counts in its place. Source words: upgraded, converted, converted to another subscription.
term-standing-pending = Pending
    .definition = Not begun: there is no state yet, or the source says pending or none.
term-standing-other = Other
    .definition = A word that is not known. It is kept as it came, and the seats are not in good standing.

## Scopes

term-scope-sold-or-managed =
    .definition = Subscriptions whose seller is the partner, or that have at least one attribution. The default of Customers and Dynamics usage.
term-scope-all-sellers =
    .definition = Every subscription, also what the customer bought from other partners or directly. The default of Licence adoption and of queries.
term-scope-own =
    .definition = Subscriptions whose seller is the partner.

## Bases of usage %

term-basis-users =
    .definition = Counts people: everybody once within a customer, however many seats they hold.
    .formula = active_users / total_users
term-basis-entitlements =
    .definition = Counts seats: somebody with two seats counts twice.
    .formula = active_entitlements / total_entitlements

## Reasons beside a usage %

term-reason-trial =
    .definition = Used on a trial: the activity counts, and the trial's seats do not count towards the total.
term-reason-not-in-good-standing =
    .definition = Used on a subscription in grace, disabled or deprovisioned: the activity counts, the seats do not.
term-reason-free =
    .definition = Used on a free SKU, whose seats do not count towards the total.
term-reason-license-transferred =
    .definition = Used while holding a licence that somebody else holds at the end of the window, as after employee turnover.
term-reason-unlicensed-use =
    .definition = Used without holding a licence in the window, such as more use of Yammer than the licence entitles to.
term-reason-over-assigned =
    .definition = Used by users assigned beyond the seats that were sold.

## Dimensions

term-country =
    .definition = The customer's country, ISO 3166-1 alpha-2.
term-segment =
    .definition = The customer's segment.
term-industry =
    .definition = The customer's industry.
term-customer =
    .definition = An organisation the partner sells to or manages.
term-product =
    .definition = A family of SKUs, such as Office 365; of the SKU in force on the day looked at. Dynamics are all products whose name begins with “Dynamics 365”.
term-sku =
    .definition = What is sold, such as Microsoft 365 E3. It belongs to a product, carries services and may be free.
term-service =
    .definition = What people use, such as Exchange or Teams. A SKU carries several. Seats are not defined by service.
term-location =
    .definition = The partner location of an attribution. One subscription may stand under several.
term-attribution-type =
    .definition = The type of an attribution, such as CSP. One subscription may stand under several.
term-sales-channel =
    .definition = How the subscription was sold.
term-pricing-model =
    .definition = The pricing model of an Azure subscription.
term-seller =
    .definition = Who sold the subscription: the partner (own), another partner (other) or Microsoft (direct).
term-trial =
    .definition = Whether the subscription is a trial on the day looked at.
term-standing =
    .definition = How a subscription stands at the end of a day, by its latest state on or before it.
term-subscription =
    .definition = A customer's purchase of a SKU: seats and status over time.

## What an answer says about itself

term-version = Version
    .definition = Every number of an answer is of one version of the data, which grows with everything that is stored.
term-partial = Partial
    .definition = The month is under way: its snapshot day comes before its last day.
term-redacted = Redacted
    .definition = Something was left out because the caller's roles may not see it: amounts of money, and what is about one person. It is absent, never zero.
term-overlapping = Overlapping
    .definition = Parts may sum to more than the whole, because one thing may stand under several: seats, revenue and subscriptions by location or attribution type; customers and users by everything that is not an attribute of the customer.
term-lower-bound = Lower bound
    .definition = Of some activity only the date of the last is known, so the true number may be greater.
term-carried = Carried
    .definition = Nobody reported the month, but one before and one after it: seats are those of the month before, and use is unknown.
term-source = Source
    .definition = Whether a number was computed from detail, comes from monthly rows that somebody else computed, or from both. Rows serve a month only where there is no detail.
term-missing-value = Missing value
    .definition = A thing that has no value of a dimension stands under a value of its own: null in answers, (none) in filters.
term-min-version = Freshness
    .definition = A caller who has just stored something may ask for figures at least as new as the version that was answered.

## Worked examples

example-1 = One seat. User A is active on 3 May; the seat moves to B on 10 May; B is active on 12 May. On 20 May: available 1, assigned 1, active 2, active usage 200 %; covered 1, licence transferred 1. On 31 May the window is 4 to 31 May: active 1, 100 %.
example-2 = Two subscriptions of one SKU with 10 seats each, the same 8 users active on both, the second in grace. Available 10, active 16: 160 %; covered 8, not in good standing 8. On the users basis: 8 of 8, 100 %.
example-3 = A trial of 25 seats with 5 active users and nothing else. Available 0, so the percentage is empty; active 5, trial 5; the customer counts as a customer and as active. Made paid on 10 June under the same id: available 25 in June, still 0 in May.
example-4 = Yammer used by 30 users, 20 of them licensed. Usage by service, users basis: 30 of 20, 150 %; covered 20, use without a licence 10.
example-5 = A customer whose only subscription is active to 14 March, suspended from 15 March and active again from 10 May: churned in March, new and returning in May, nothing in April.
example-6 = A customer under two partner locations: 1 in the total, 1 under each location, overlapping.
example-7 = Activity on 1 March counts through 28 March and not on 29 March; activity on 29 February 2024 counts through 27 March 2024.
example-8 = One seat, three users assigned and active: active 3, 300 %; covered 1, assigned beyond the seats 2.
example-9 = A uses Office and Dynamics and holds both; B holds Office and is idle. Usage % over both products is 1 of 2, not 2 of 3.
