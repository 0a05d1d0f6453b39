# Como se chamam páginas, seções, números, medidas, dimensões e motivos. Os nomes são os dos enums da API.

## Páginas

page-customers = Clientes
page-dynamics-usage = Uso do Dynamics
page-licence-adoption = Adoção de licenças
page-download-reports = Baixar relatórios
page-glossary = Terminologia
page-audit = Auditoria
page-advice = Conselhos

## Seções

section-summary = Resumo
section-geographical-spread = Distribuição geográfica dos seus clientes
section-customer-adds-and-churns = Clientes adicionados e perdidos
section-customer-distribution = Distribuição de clientes
section-customers-by-product = Clientes por produto
section-customer-distribution-trend = Tendência da distribuição de clientes
section-active-customers = Clientes ativos
section-usage-by-geography = Uso por geografia
section-usage-by-sku = Uso por SKU
section-subscription-performance = Desempenho das assinaturas
section-usage-distribution = Distribuição do uso
section-adoption-by-product = Implantação e utilização por produto
section-adoption-by-service = Utilização por serviço
section-reasons = Por que uma % de utilização é o que é
section-offering-training = Oferta de formação

## Números

figure-customers = Clientes
figure-active-customers = Clientes ativos
figure-customers-added = Clientes adicionados
figure-customers-churned = Clientes perdidos
figure-subscriptions = Assinaturas
figure-available-seats = Licenças disponíveis
figure-assigned-seats = Licenças atribuídas
figure-active-seats = Licenças ativas
figure-active-usage-percent = % de uso ativo
figure-deployment-percent = % de implantação
figure-usage-percent-users = % de utilização · usuários
figure-usage-percent-entitlements = % de utilização · direitos
figure-active-users = Usuários ativos
figure-total-users = Total de usuários
figure-deployment-opportunity = Licenças não atribuídas
figure-idle-seats = Licenças ociosas
figure-net-added = Adicionados, líquido
figure-last-month-churn = Perdidos no último mês

## Por que um valor não está definido

undefined-reason-seats-by-service = As licenças não são definidas por serviço.
undefined-reason-too-many-groups = Há grupos demais para perguntar por todos em conjunto.

## Medidas

measure-customers = Clientes
measure-active-customers = Clientes ativos
measure-new = Novos
measure-existing = Existentes
measure-churned = Perdidos
measure-returning = De volta
measure-subscriptions = Assinaturas
measure-available = Disponíveis
measure-assigned = Atribuídas
measure-active = Ativas
measure-new-seats = Licenças novas
measure-deployment-opportunity = Não atribuídas
measure-active-usage-percent = % de uso ativo
measure-deployment-percent = % de implantação
measure-active-users = Usuários ativos
measure-total-users = Total de usuários
measure-usage-percent = % de utilização
measure-active-entitlements = Direitos ativos
measure-total-entitlements = Total de direitos
measure-billed-revenue = Receita faturada
measure-idle-seats = Ociosas

## Dimensões

dimension-country = Mercado
dimension-segment = Segmento
dimension-industry = Setor
dimension-customer = Cliente
dimension-product = Produto
dimension-sku = SKU
dimension-service = Serviço
dimension-location = Local do parceiro
dimension-attribution-type = Tipo de atribuição
dimension-sales-channel = Canal de vendas
dimension-pricing-model = Modelo de preço
dimension-seller = Vendedor
dimension-trial = Avaliação
dimension-standing = Situação
dimension-subscription = Assinatura

## Bases, escopos, origens

basis-users = Usuários
basis-entitlements = Direitos
scope-sold-or-managed = Vendidas ou gerenciadas por você
scope-all-sellers = Todos os vendedores
scope-own = Vendidas por você
source-computed = Calculado a partir dos detalhes
source-reported = Conforme relatado
source-mixed = Calculado e relatado

## Motivos

reason-trial = Avaliação
reason-not-in-good-standing = Sem situação regular
reason-free = SKU gratuita
reason-license-transferred = Licença transferida
reason-unlicensed-use = Uso sem licença
reason-over-assigned = Atribuída além das licenças

## Como as variações são calculadas

change-kind-stock = Variação em relação ao fim do mês anterior ao período
change-kind-flow = Variação em relação ao período anterior
change-kind-churn = Parte dos clientes do fim do mês anterior ao período
change-kind-points = Pontos percentuais em relação ao fim do mês anterior ao período

## Funções

role-global-admin = Administrador global
role-account-admin = Administrador de conta
role-user-management-admin = Administrador de gerenciamento de usuários
role-admin-agent = Agente administrativo
role-sales-agent = Agente de vendas
role-report-viewer = Visualizador de relatórios
role-executive-report-viewer = Visualizador de relatórios executivos
role-data-source = Fonte de dados

## Exportações

export-state-waiting = Em espera
export-state-running = Em andamento
export-state-done = Concluída
export-state-failed = Falhou
export-state-cancelled = Cancelada
export-report-customers = Clientes
export-report-subscriptions = Assinaturas
export-report-office-usage = Uso do Office
export-report-dynamics-usage = Uso do Dynamics
export-report-licence-usage = Uso de licenças

## Conselhos

advice-code-low-adoption = Baixa adoção
advice-code-how-to-cases = Perguntas de como fazer
advice-code-unassigned-before-renewal = Licenças não atribuídas antes de uma renovação
advice-code-idle-seats = Licenças ociosas
advice-code-trial-ending = Avaliação termina em breve
advice-code-seats-nearly-exhausted = Licenças quase esgotadas
advice-code-steady-decline = Queda constante
evidence-kind-available-seats = Licenças disponíveis
evidence-kind-assigned-seats = Licenças atribuídas
evidence-kind-active-seats = Licenças ativas
evidence-kind-unassigned-seats = Licenças não atribuídas
evidence-kind-idle-seats = Licenças ociosas
evidence-kind-how-to-cases = Casos de como fazer
evidence-kind-support-cases = Casos de suporte

## O glossário

glossary-kind-word = Palavra
glossary-kind-measure = Medida
glossary-kind-range-figure = Número de um período
glossary-kind-standing = Situação
glossary-kind-scope = Escopo
glossary-kind-basis = Base da % de utilização
glossary-kind-reason = Motivo
glossary-kind-dimension = Dimensão
glossary-kind-mark = Marca de uma resposta
