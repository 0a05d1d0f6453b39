# What a report in the terminal says around its figures.

report-covers = { $from } to { $to }, complete through { $complete }
report-under-way = the last month is under way
report-now = now
report-change = change
report-trend = trend
report-points = pt
report-by = by { $dimension }
report-covered = { $count } covered
report-reason = { $count } { $reason }
report-more = … and { $count } more
report-missing = (none)
report-lower-bound = Activity is a lower bound: for some of it only the date of last activity is known.
report-redacted = Something was left out because your roles may not see it.
report-share = share
report-start = start
report-end = end
report-top-by-revenue = the 100 customers with the highest billed revenue
report-top-by-seats = the 100 customers with the most available seats
report-problem = Problem
report-figures = Figures
report-consider = What to consider
report-to-try = What to try
report-more-advice = … and { $count } more; --json shows them
report-advice-incomplete = Only customers with the most seats were looked at; filter to see others.
