# O que um relatório no terminal diz em volta dos números.

report-covers = { $from } a { $to }, completo até { $complete }
report-under-way = o último mês está em curso
report-now = agora
report-change = variação
report-trend = tendência
report-points = p.p.
report-by = por { $dimension }
report-covered = { $count } com cobertura
report-reason = { $count } { $reason }
report-more = … e mais { $count }
report-missing = (nenhum)
report-lower-bound = A atividade é um limite inferior: de parte dela só se conhece a data da última atividade.
report-redacted = Algo foi omitido porque as suas funções não permitem vê-lo.
report-share = parte
report-start = início
report-end = fim
report-top-by-revenue = os 100 clientes com a maior receita faturada
report-top-by-seats = os 100 clientes com mais licenças disponíveis
report-problem = Problema
report-figures = Números
report-consider = O que considerar
report-to-try = O que experimentar
report-more-advice = … e mais { $count }; --json os mostra
report-advice-incomplete = Só foram vistos os clientes com mais licenças; filtre para ver outros.
