# O glossário: cada palavra e cada número do produto. Termos sem título próprio têm o de titles.ftl.
# d é o dia de referência de um mês, m um mês.

## Palavras

term-partner = Parceiro
    .definition = A organização cujo pessoal lê os relatórios. Nada passa de um parceiro a outro. Tem um fuso horário e uma moeda em que os relatórios são feitos.
term-partner-location = Local do parceiro
    .definition = Um dos escritórios do parceiro (um id MPN), com um país.
term-service-fold = Serviços contados juntos
    .definition = OneDrive e OneDrive for Business são SharePoint, em registros, catálogo e filtros: são contados juntos.
term-attribution = Atribuição
    .definition = Por que uma assinatura pertence ao parceiro: um local do parceiro e um tipo, como CSP, CPOR, DPOR, PAL ou DAP. Uma assinatura tem nenhuma, uma ou várias.
term-seat = Licença
    .definition = Uma unidade da quantidade de uma assinatura. Licenças vendidas são licenças disponíveis.
term-assignment = Atribuição de licença
    .definition = Um usuário tem uma licença de uma assinatura a partir de um dia até outro, este não incluído.
term-activity = Atividade
    .definition = Um usuário usou um serviço em um dia de calendário do fuso horário do parceiro.
term-entitlement = Direito
    .definition = Uma licença que o usuário tem direito a usar: a assinatura está em situação regular, ou seja, não foi suspensa por fraude ou falta de pagamento, atualizada para uma licença diferente nem cancelada.
term-snapshot-day = Dia de referência
    .definition = O dia que representa um mês: o último dele, ou complete_through quando este vem antes. Escreve-se d.
term-complete-through = Completo até
    .definition = O último dia até o qual os dados estão completos: o que as fontes disseram, senão o último dia com atividade, senão hoje.
term-window = Janela de 28 dias
    .definition = Os dias em que a atividade torna alguém ativo. Anos bissextos, meses mais longos e mudanças de hora não fazem diferença.
    .formula = d − 27 … d, ambos incluídos, em dias de calendário
term-range = Período de meses
    .definition = Do primeiro ao último mês, ambos incluídos. Os períodos prontos de 3, 6 e 12 meses terminam com o mês de complete_through.
term-match = Corresponde
    .definition = Uma assinatura corresponde em um dia quando ela e o cliente satisfazem todos os filtros nesse dia; local e tipo de atribuição têm de valer na mesma atribuição. Um grupo age como mais um filtro.
term-good-standing = Situação regular
    .definition = Ativa, não em avaliação e não gratuita. As opções include_grace e include_free a ampliam em licenças, usuários e motivos, nunca na contagem de clientes.
    .formula = situação = ACTIVE e não em avaliação e não gratuita
term-restricting-services = Serviços considerados, R
    .definition = Os serviços cuja atividade conta: os das SKUs que satisfazem juntas os filtros de produto e SKU e, destes, os do filtro de serviço; todos quando não há nenhum dos três.
term-rollup-of-parts = Concordância
    .definition = Cartões, gráficos, tabelas e exportações obedecem aos mesmos filtros e concordam até o último dígito.
    .formula = cartão = último ponto da série = soma das partes que não se sobrepõem = linhas da exportação
term-percentage = Percentagem
    .definition = Uma razão de somas, nunca uma média de razões, e nunca cortada em 100. Vem com numerador e denominador e fica vazia quando o denominador é 0.
    .formula = 100 × numerador / denominador; 124 de 474 são 26,16 %
term-covered = Com cobertura
    .definition = A parte do numerador de uma percentagem de utilização que o denominador cobre. Com a contagem dos motivos, soma exatamente o numerador.
    .formula = com cobertura = numerador − Σ motivos; com cobertura ≤ denominador

## Medidas

term-customers =
    .definition = Clientes com pelo menos uma assinatura correspondente ACTIVE em d. Uma avaliação conta, pois o status dela é ativo.
    .formula = número de clientes com ≥ 1 assinatura correspondente ACTIVE em d; clientes(m) = clientes(m − 1) + novos(m) − perdidos(m)
term-active-customers =
    .definition = Clientes contados em d com atividade de qualquer usuário na janela de 28 dias em um serviço considerado.
    .formula = número de clientes de d com atividade na janela em um serviço de R
term-new =
    .definition = Clientes contados no fim do mês e não no fim do anterior. No primeiro mês com dados todos são novos.
    .formula = clientes em d de m e não em d de m − 1
term-existing =
    .definition = Clientes contados no fim do mês e no fim do anterior.
    .formula = clientes em d de m e em d de m − 1
term-churned =
    .definition = Clientes contados no fim do mês anterior e não no fim deste: já não têm nenhuma assinatura com status ativo.
    .formula = clientes em d de m − 1 e não em d de m
term-returning =
    .definition = Clientes novos que já tinham sido contados, com os mesmos filtros, no fim de algum mês mais antigo.
    .formula = novos(m), contados no fim de algum mês anterior a m − 1
term-subscriptions =
    .definition = Assinaturas correspondentes ACTIVE em d.
    .formula = número de assinaturas correspondentes ACTIVE em d
term-available =
    .definition = Licenças de assinaturas correspondentes em situação regular: licenças vendidas.
    .formula = Σ licenças das assinaturas correspondentes em situação regular em d
term-assigned =
    .definition = Usuários com licença atribuída em d de assinaturas correspondentes em situação regular, contados por assinatura. Mais do que foi vendido é mostrado como é.
    .formula = Σ usuários com licença atribuída em d, nas assinaturas correspondentes em situação regular
term-active =
    .definition = Por assinatura correspondente, usuários distintos que usaram um serviço da SKU em um dia da janela em que tinham uma licença dela, qualquer que seja a situação da assinatura e mesmo em avaliação.
    .formula = Σ usuários distintos com uso na janela enquanto tinham licença, nas assinaturas correspondentes
term-new-seats =
    .definition = Licenças disponíveis no fim do mês menos as do fim do anterior.
    .formula = disponíveis(m) − disponíveis(m − 1), com a correspondência vista em cada um dos dois dias
term-deployment-opportunity =
    .definition = Licenças vendidas que ninguém tem.
    .formula = Σ max(0, disponíveis − atribuídas), nas assinaturas correspondentes
term-idle-seats =
    .definition = Licenças atribuídas cujos titulares não usaram nenhum serviço da SKU na janela enquanto as tinham.
    .formula = Σ max(0, atribuídas − usuários ativos ainda atribuídos), nas assinaturas correspondentes em situação regular
term-active-usage-percent =
    .definition = Licenças ativas em percentagem das licenças disponíveis.
    .formula = Σ ativas / Σ disponíveis
term-deployment-percent =
    .definition = Licenças atribuídas em percentagem das licenças vendidas.
    .formula = Σ atribuídas / Σ disponíveis
term-active-users =
    .definition = Usuários distintos, dentro de cada cliente, com atividade na janela em um serviço considerado, com ou sem licença.
    .formula = Σ por cliente dos usuários distintos com atividade na janela em um serviço de R
term-total-users =
    .definition = Usuários distintos, dentro de cada cliente, que em d têm licença de uma assinatura correspondente em situação regular, ou que uma fonte sem assinaturas diz licenciados para um serviço considerado. Por serviço também se chamam qualificados.
    .formula = Σ por cliente dos usuários distintos com direito em d
term-usage-percent =
    .definition = Na base de usuários, a padrão: usuários ativos em percentagem do total de usuários. Na base de direitos: direitos ativos em percentagem do total de direitos.
    .formula = active_users / total_users, ou active_entitlements / total_entitlements
term-active-entitlements =
    .definition = O mesmo número que as licenças ativas, com o nome da base de direitos.
    .formula = Σ ativas
term-total-entitlements =
    .definition = O mesmo número que as licenças disponíveis, com o nome da base de direitos.
    .formula = Σ disponíveis
term-billed-revenue =
    .definition = Receita das assinaturas correspondentes faturada para o mês, qualquer que seja a situação delas, nunca somando moedas: várias moedas dão uma linha cada. Só algumas funções a veem.
    .formula = Σ receita das assinaturas correspondentes de m, por moeda

## Números de um período de meses

term-added = Clientes adicionados
    .definition = Clientes novos, somados ao longo dos meses do período. Sem os do primeiro mês com dados, que não se sabe quando vieram.
    .formula = Σ novos
term-churned-over-range = Clientes perdidos
    .definition = Clientes perdidos, somados ao longo dos meses do período.
    .formula = Σ perdidos
term-net-added = Adicionados, líquido
    .definition = Clientes adicionados menos clientes perdidos.
    .formula = adicionados − perdidos
term-last-month-churn = Perdas do último mês
    .definition = Clientes perdidos no último mês do período. A variação é em relação ao mês anterior a ele.
    .formula = perdidos(último mês)
term-change-of-stock = Variação de um saldo
    .definition = Como variou no período um número que se toma no fim do mês. Vazia quando a base é 0 ou é anterior aos dados guardados.
    .formula = (último mês − base) / base, base = fim do mês anterior ao período
term-change-of-flow = Variação de um fluxo
    .definition = Como variou um número que se soma no período, em relação ao período anterior de igual duração. Vazia quando a base é 0, é anterior aos dados guardados ou contém o primeiro mês com dados.
    .formula = (período − período anterior) / período anterior
term-change-in-points = Variação de uma percentagem
    .definition = Como variou uma percentagem no período, em pontos percentuais.
    .formula = último mês − fim do mês anterior ao período
term-churn-percent = % de perdas
    .definition = Clientes perdidos no período em percentagem dos clientes de antes dele. Vazia quando não havia nenhum.
    .formula = perdidos / clientes no fim do mês anterior ao período
term-share = Participação
    .definition = O que um grupo, como um país, contribui para um número.
    .formula = valor do grupo / soma de todos os grupos

## Situações das assinaturas

term-standing-active = Ativa
    .definition = O cliente conta, e as licenças estão em situação regular, salvo em avaliação ou gratuitas. Palavras das fontes: active, enabled, open, renewed.
term-standing-grace = Em carência
    .definition = No período de carência o cliente não conta e as licenças não estão em situação regular, salvo com include_grace. Palavras das fontes: warning, in grace period, grace, expired.
term-standing-suspended = Suspensa
    .definition = O cliente não conta e as licenças não estão em situação regular. Palavras das fontes: suspended, locked out.
term-standing-disabled = Desabilitada
    .definition = O cliente não conta e as licenças não estão em situação regular. Palavras das fontes: disabled, deprovisioned, deleted, cancelled, closed, inactive, churned.
term-standing-upgraded = Atualizada
    .definition = Substituída por outra assinatura, que conta no lugar dela. Palavras das fontes: upgraded, converted, converted to another subscription.
term-standing-pending = Pendente
    .definition = Ainda não começou: não há estado, ou a fonte diz pending ou none.
term-standing-other = Outra
    .definition = Uma palavra desconhecida. É guardada como veio, e as licenças não estão em situação regular.

## Escopos

term-scope-sold-or-managed =
    .definition = Assinaturas cujo vendedor é o parceiro, ou com pelo menos uma atribuição. O padrão de Clientes e de Uso do Dynamics.
term-scope-all-sellers =
    .definition = Todas as assinaturas, também o que o cliente comprou de outros parceiros ou diretamente. O padrão de Adoção de licenças e das consultas.
term-scope-own =
    .definition = Assinaturas cujo vendedor é o parceiro.

## Bases da % de utilização

term-basis-users =
    .definition = Conta pessoas: cada uma só uma vez dentro de um cliente, por mais licenças que tenha.
    .formula = active_users / total_users
term-basis-entitlements =
    .definition = Conta licenças: quem tem duas conta duas vezes.
    .formula = active_entitlements / total_entitlements

## Motivos ao lado de uma % de utilização

term-reason-trial =
    .definition = Uso em uma assinatura de avaliação: a atividade é contada, mas a assinatura não conta para o total de direitos.
term-reason-not-in-good-standing =
    .definition = Uso em uma assinatura no período de carência, desabilitada ou desprovisionada: a atividade é contada, as licenças não.
term-reason-free =
    .definition = Uso em uma SKU gratuita, cujas licenças não contam para o total.
term-reason-license-transferred =
    .definition = Uso por quem tinha uma licença que no fim da janela é de um novo usuário, como na rotatividade de funcionários.
term-reason-unlicensed-use =
    .definition = Uso sem ter licença na janela, como usar o Yammer mais do que a licença dá direito.
term-reason-over-assigned =
    .definition = Uso por usuários com licença atribuída além das que foram vendidas.

## Dimensões

term-country =
    .definition = O país do cliente, ISO 3166-1 alfa-2.
term-segment =
    .definition = O segmento do cliente.
term-industry =
    .definition = O setor do cliente.
term-customer =
    .definition = Uma organização a que o parceiro vende ou que ele gerencia.
term-product =
    .definition = Uma família de SKUs, como o Office 365; o da SKU em vigor no dia considerado. Dynamics são todos os produtos cujo nome começa com “Dynamics 365”.
term-sku =
    .definition = O que se vende, como o Microsoft 365 E3. Pertence a um produto, traz serviços e pode ser gratuita.
term-service =
    .definition = O que as pessoas usam, como Exchange ou Teams. Uma SKU traz vários. Licenças não se definem por serviço.
term-location =
    .definition = O local do parceiro de uma atribuição. Uma assinatura pode estar em vários.
term-attribution-type =
    .definition = O tipo de uma atribuição, como CSP. Uma assinatura pode estar em vários.
term-sales-channel =
    .definition = Como a assinatura foi vendida.
term-pricing-model =
    .definition = O modelo de preço de uma assinatura do Azure.
term-seller =
    .definition = Quem vendeu a assinatura: o parceiro (own), outro parceiro (other) ou a Microsoft (direct).
term-trial =
    .definition = Se a assinatura é uma avaliação no dia considerado.
term-standing =
    .definition = Como uma assinatura está no fim de um dia, pelo estado mais recente até ele.
term-subscription =
    .definition = A compra de uma SKU por um cliente: licenças e status ao longo do tempo.

## O que uma resposta diz de si

term-version = Versão
    .definition = Todos os números de uma resposta são de uma só versão dos dados, que cresce com tudo o que se guarda.
term-partial = Parcial
    .definition = O mês está em curso: o dia de referência vem antes do último dia.
term-redacted = Omitido
    .definition = Algo foi deixado de fora porque as funções de quem pergunta não permitem vê-lo: valores em dinheiro e o que diz respeito a uma só pessoa. Fica ausente, nunca zero.
term-overlapping = Sobreposição
    .definition = As partes podem somar mais que o todo, porque uma coisa pode estar em várias: licenças, receita e assinaturas por local ou tipo de atribuição; clientes e usuários por tudo o que não é atributo do cliente.
term-lower-bound = Limite inferior
    .definition = De parte da atividade só se conhece a data da última, então o número verdadeiro pode ser maior.
term-carried = Transportado
    .definition = Ninguém relatou o mês, mas um antes e um depois dele: as licenças são as do mês anterior, e o uso é desconhecido.
term-source = Origem
    .definition = Se um número foi calculado a partir dos detalhes, vem de linhas mensais que outros calcularam, ou de ambos. As linhas só servem um mês onde não há detalhes.
term-missing-value = Valor ausente
    .definition = O que não tem valor em uma dimensão fica sob um valor próprio: null nas respostas, (none) nos filtros.
term-min-version = Atualidade
    .definition = Quem acabou de guardar algo pode pedir números pelo menos tão novos como a versão respondida.

## Exemplos resolvidos

example-1 = Uma licença. O usuário A está ativo em 3 de maio; a licença passa a B em 10 de maio; B está ativo em 12 de maio. Em 20 de maio: disponíveis 1, atribuídas 1, ativas 2, uso ativo de 200 %; com cobertura 1, licença transferida 1. Em 31 de maio a janela vai de 4 a 31 de maio: ativas 1, 100 %.
example-2 = Duas assinaturas de uma SKU com 10 licenças cada, os mesmos 8 usuários ativos em ambas, a segunda em carência. Disponíveis 10, ativas 16: 160 %; com cobertura 8, sem situação regular 8. Na base de usuários: 8 de 8, 100 %.
example-3 = Uma avaliação de 25 licenças com 5 usuários ativos e nada mais. Disponíveis 0, então a percentagem fica vazia; ativas 5, avaliação 5; o cliente conta como cliente e como ativo. Paga a partir de 10 de junho com o mesmo id: disponíveis 25 em junho, ainda 0 em maio.
example-4 = Yammer usado por 30 usuários, 20 deles licenciados. Utilização por serviço, base de usuários: 30 de 20, 150 %; com cobertura 20, uso sem licença 10.
example-5 = Um cliente cuja única assinatura está ativa até 14 de março, suspensa a partir de 15 de março e ativa de novo a partir de 10 de maio: perdido em março, novo e de volta em maio, nada em abril.
example-6 = Um cliente em dois locais do parceiro: 1 no total, 1 em cada local, com sobreposição.
example-7 = A atividade de 1 de março conta até 28 de março e não em 29 de março; a de 29 de fevereiro de 2024 conta até 27 de março de 2024.
example-8 = Uma licença, três usuários com ela atribuída e ativos: ativas 3, 300 %; com cobertura 1, atribuída além das licenças 2.
example-9 = A usa Office e Dynamics e tem ambos; B tem Office e está parado. A % de utilização dos dois produtos é 1 de 2, não 2 de 3.
