# What advice says. Arguments are names, days, percentages as people read them, and counts, which decide the forms of words.
# Days until an end are counted from the last day of the figures.

advice-low-adoption = Low adoption at { $customer }
    .counted = { $count } { $count ->
        [one] low adoption
       *[other] low adoptions
    }
    .problem = The user adoption rate is low, and many licences are not being used.
    .because = { $active } of { $available } available seats { $active ->
        [one] was
       *[other] were
    } used in the last 28 days ({ $usage }); { $unassigned } { $unassigned ->
        [one] is
       *[other] are
    } assigned to nobody, { $idle } { $idle ->
        [one] is
       *[other] are
    } assigned and idle.
    .consider = The customer might not understand the value that the software could provide. It needs help with envisioning the ways it could incorporate it into its day, to simplify tasks that it does already or to enable new kinds of productivity.
    .to-try = Case studies, user testimonials about specific scenarios, tutorial blogs, or videos.
advice-how-to-cases = Many how-to questions from { $customer }
    .counted = { $count } { $count ->
        [one] customer with how-to questions
       *[other] customers with how-to questions
    }
    .problem = There is a high volume of support calls for help and how-to questions.
    .because = { $how_to } of { $total } support cases of the last { $months ->
        [one] month
       *[other] { $months } months
    } asked how to do something ({ $share }).
    .consider = The customer may be new to the software, to the product version, or to its task.
    .to-try = Offer training, in person or online, to increase the customer's overall expertise, and promote the self-service options available to it.
advice-unassigned-before-renewal = Unassigned seats of { $sku } at { $customer } before a renewal
    .counted = { $count } { $count ->
        [one] renewal with unassigned seats
       *[other] renewals with unassigned seats
    }
    .problem = Seats that nobody holds come up for renewal.
    .because = { $unassigned } of { $available } seats ({ $share }) { $unassigned ->
        [one] is
       *[other] are
    } assigned to nobody, and the subscription ends { $days ->
        [0] on { $end }, the last day of these figures
        [one] in 1 day, on { $end }
       *[other] in { $days } days, on { $end }
    }.
    .consider = A customer that pays for seats it does not need may renew fewer of them, or none.
    .to-try = Talk to the customer before the renewal: help it to assign the seats to people who would gain from them, with tutorials to begin with, or renew with as many as it needs.
advice-idle-seats = Idle seats at { $customer }
    .counted = { $count } { $count ->
        [one] customer with idle seats
       *[other] customers with idle seats
    }
    .problem = Many people hold a licence and do not use it.
    .because = { $idle } of { $assigned } assigned seats ({ $share }) { $idle ->
        [one] was not used by its holder
       *[other] were not used by their holders
    } in the last 28 days.
    .consider = The holders may not know what they have, may have left, or may work in another way.
    .to-try = Ask the customer to give the seats of people who left to others, and offer tutorials and user testimonials for the tasks of those who stay.
advice-trial-ending = Trial of { $sku } at { $customer } ends soon
    .counted = { $count } { $count ->
        [one] trial that ends soon
       *[other] trials that end soon
    }
    .problem = A trial that people use is about to end.
    .because = { $active } { $active ->
        [one] person
       *[other] people
    } used it in the last 28 days; it ends { $days ->
        [0] on { $end }, the last day of these figures
        [one] in 1 day, on { $end }
       *[other] in { $days } days, on { $end }
    }.
    .consider = People who have taken to it lose it on that day unless it is bought.
    .to-try = Make an offer now, with what the trial showed; a training for the team helps those who come next.
advice-seats-nearly-exhausted = Seats of { $sku } at { $customer } are nearly used up
    .counted = { $count } { $count ->
        [one] SKU nearly used up
       *[other] SKUs nearly used up
    }
    .problem = Nearly all seats are assigned and in use: whoever comes next gets none.
    .because = { $assigned } { $assigned ->
        [one] seat is
       *[other] seats are
    } assigned of { $available } available, and { $active } { $active ->
        [one] was
       *[other] were
    } used in the last 28 days.
    .consider = The customer has taken to the product; more people, or a larger plan, may be next.
    .to-try = Offer more seats or a larger plan, and training for the people they are for.
advice-steady-decline = Use at { $customer } declines steadily
    .counted = { $count } { $count ->
        [one] steady decline
       *[other] steady declines
    }
    .problem = The customer uses less and less, and may be about to leave.
    .because = Active seats fell over the last { $months ->
        [one] month
       *[other] { $months } months
    }, from { $before } in { $first_month } to { $now } in { $last_month } ({ $loss } fewer), and rose by no more than a little in between.
    .consider = People may be going over to another product, or the customer may be shrinking.
    .to-try = Talk to the customer soon: ask what changed, and show with case studies and training what the product does for others.
