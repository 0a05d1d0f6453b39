# O que só a página web diz: os seus botões, dicas e estados. É incorporado na página (services/reporting/ui/build/messages.mjs).

## Pages and getting about

home = Início
customer-page = Cliente
data-health = Saúde dos dados
pages = Páginas
menu = Menu
skip = Ir para o conteúdo
language = Idioma
to-dark = Mudar para cores escuras
to-light = Mudar para cores claras
find-customer = Procurar um cliente
customers-found = Clientes encontrados
records-aside = { $count } registros em quarentena ou à espera
unknown-page = Esta página não existe
unknown-page-hint = O endereço não leva a lugar nenhum. Estas são as páginas que você pode ver:
failed-roles = As suas funções não incluem esta página
roles-hint = O administrador global da sua empresa atribui funções. Estas são as páginas que você pode ver:
no-dashboard-hint = A sua entrada é válida, mas nenhuma das suas funções pode ler um painel. O administrador global da sua empresa atribui funções.
no-role = Nenhuma função
locations = Apenas os locais { $ids }
close = Fechar
cancel = Cancelar
apply = Aplicar
search = Pesquisar
search-for = Pesquisar { $label }
nothing-found = Nada encontrado.
and-more = Há mais: pesquise por eles.
show-more = Mostrar mais
show-fewer = Mostrar menos
show-all = Mostrar todos os { $count }
anything = Qualquer

## Signing in and out

sign-in = Entrar
sign-out = Sair
sign-in-at = Entrar em { $provider }
provider-unreachable = O provedor de identidade não pode ser alcançado agora.
demo-sign-in = Isto é uma demonstração: entre como uma das suas pessoas.
with-token = Com um token
paste-token = Cole o seu token, por exemplo um de “insights token”
ended-signed-out = Você saiu.
ended-expired = A sua entrada expirou. Entre de novo e você volta para onde estava.
ended-refused = Este token não é aceito. Pode estar danificado, ter expirado ou ser de outro servidor.
ended-provider = O provedor de identidade não concluiu a sua entrada. Tente de novo.
session-ends = A sua entrada termina em { $time }. Saia e entre de novo para continuar.
persona-global-admin = Administrador global – tudo, também receita e auditoria
persona-account-admin = Administrador de conta – uso do Dynamics
persona-user-management-admin = Administrador de usuários – adoção de licenças e conselhos
persona-admin-agent = Agente administrativo – todos os painéis, sem receita
persona-sales-agent = Agente de vendas – adoção de licenças e conselhos
persona-report-viewer = Leitor de relatórios – clientes e uso do Dynamics
persona-executive-report-viewer = Leitor executivo – o mesmo, com receita

## Range and filters

page-filters = Filtros da página
filters = Filtros
range = Intervalo
months = { $count } meses
custom = Personalizado
first-month = Primeiro mês
last-month = Último mês
month = Mês
scope = Escopo
add-filter = Adicionar um filtro
filters-in-force = Filtros em vigor
filter-by = Mostrar só { $value }
remove-filter = Remover o filtro { $label } { $value }
clear-all = Limpar tudo
not-here = (não nesta página)
include-grace = Incluir carência
include-free = Incluir gratuitos
free-hint = SKUs gratuitos trazem milhares de licenças que ninguém comprou: com eles, os totais de licenças dizem pouco e as percentagens ficam perto de zero.
compare = Comparar com o intervalo anterior
before-range = { $name }, intervalo anterior
usage-of = % de utilização de
all-products = Todo o Dynamics 365
missing = (nenhum)
value-trial = Avaliação
value-paid = Pago
value-own = Vendido por você
value-other = Outro parceiro
value-direct = Direto

## What a page covers

complete-through = completo até { $day }
complete-through-title = Completo até
version = versão { $version }
version-title = Versão
old-data = os dados terminam há { $days } dias
old-data-hint = Nada mais novo foi importado. Os números são os do dia em que os dados terminam.
partial = { $month } é parcial *
partial-hint = Os dados ainda não chegam ao fim do último mês: os seus números ainda vão mudar.
lower-bound = a atividade é um limite inferior
lower-bound-hint = De parte da atividade só se conhece a última data: os números reais podem ser maiores.
carried = meses sem relatório
carried-hint = Ninguém relatou alguns meses entre dois que o foram: as licenças são as do mês anterior, o uso é desconhecido.
hidden-fields = alguns campos estão ocultos
hidden-fields-hint = As suas funções não veem tudo o que foi pedido, como a receita.
as-of = Estes são os números como estavam em { $time }, não os de hoje.
show-now = Mostrar os de hoje
new-figures = Há números novos.
show-them = Mostrar
away-hint = O servidor não pode ser alcançado. Estes são os números de antes.

## Empty, loading, failed

loading = Carregando
loading-now = Carregando …
not-drawn = Não foi possível desenhar esta página.
nothing-matches = Nada corresponde aos filtros neste intervalo.
no-trend = sem tendência
no-dynamics = Nenhum produto do catálogo tem um nome que começa com “Dynamics 365”.
empty-title = Ainda não há dados
empty-import = Importe os arquivos que você pode baixar do Partner Center, ou registros próprios:
empty-more = “insights import --help” lista todos os formatos. A página se enche assim que o primeiro arquivo entrar.
empty-ask = Peça ao administrador global ou ao agente administrativo da sua empresa que importe dados; esta página se enche assim que o primeiro arquivo entrar.
try-again = Tentar de novo
failed = Não foi possível carregar os números
failed-deadline = Os números demoraram demais
failed-exhausted = Pedidos demais ao mesmo tempo
failed-filters = Estes filtros não podem ser respondidos
failed-not-found = Esse cliente não existe
failed-unavailable = Os números não podem ser alcançados agora

## Figures and changes

definition-of = { $name }: o que significa
formula = Fórmula:
worked-example = Exemplo { $number }:
in-glossary = No glossário
by-month = { $label } por mês
value-of = { $label } de { $name }
named-figure = { $name }: { $figure }
of-whole = { $part } de { $whole }
on-base = { $part } sobre { $whole }
of-customers = { $percent } dos clientes de { $month }
points = p.p.
change-since = Variação desde { $base }
since = desde { $base }
against = em relação a { $base }
change-against-end = em relação ao fim de
change-against = em relação a
change-of-customers = dos clientes no fim de
no-base = sem base de comparação
no-change = Sem variação { $base }: { $reason }.
no-change-no-data = não há dados
no-change-zero = era 0
why = por quê
why-of = Por que { $label } é mais de 100 %
over-hundred = Mais de 100 %: { $fraction }.
over-deployed = Mais usuários têm uma licença do que as que foram vendidas.
reasons-caption = { $numerator } ativos sobre { $denominator } ({ $basis })
covered = Coberto pelo total
other = Outro
overlapping = sobrepostos
overlapping-hint = Algo pode pertencer a vários destes; por isso podem somar mais do que o todo.
trend = Tendência

## Charts and tables

table = { $title }, tabela
show-table = Mostrar tabela
show-chart = Mostrar gráfico
chart-hint = { $title }, um gráfico; os seus números estão na tabela
legend-of = Legenda de { $title }
zoom-from = Gráfico desde
zoom-to = Gráfico até
draw = Desenhar { $name }
split-by = Dividir por
all-groups = Todos os grupos
largest-groups = Os cinco maiores
other-groups = { $count } outros
returning-among-new = { $returning } (entre “{ $fresh }”)
skus-of = SKUs de { $product }
map = Mapa
map-of = Mapa: { $title }
map-hint = Aponte um país para ler os seus números; escolha-o para aproximar.
map-home = Mundo inteiro
find-country = Procurar um país
zoom-to-country = Mostrar { $name } no mapa
seats-by-month = Licenças e uso por mês
which-seats = Quais licenças
usage-of-product = Uso de { $product }
deployment-by-month = Implantação e utilização por mês
adoption-by-customer = Por cliente, os que têm mais licenças
adoption-scope = O Office conta o OneDrive junto com o SharePoint. Mostram-se as licenças de todos os vendedores, salvo se o escopo disser outra coisa.

## Subscriptions

all-subscriptions = Todas as assinaturas
its-subscriptions = Assinaturas
every-subscription = Todas as assinaturas, por cliente.
ranked-by = Os 100 clientes mais altos por “{ $measure }”.
shown-subscriptions = { $count ->
    [one] { $text } assinatura mostrada.
   *[other] { $text } assinaturas mostradas.
    }
all-of-them = Todas, não só as 100 maiores
plan = SKU
start = Início
end = Fim

## Advice

advice-hint = Clientes a cuidar primeiro, os de maior peso antes
advice-by-rule = Conselhos por regra
advice-incomplete = Há tantos clientes que só foram vistos os que têm mais licenças, mais não atribuídas e mais ociosas.
no-advice = Nada a aconselhar aqui.
what-to-try = O que experimentar
problem = Problema:
consider = O que considerar:
to-try = O que experimentar:

## Files

export-it = Exportar
export-of = Exportar: { $title }
export-shown = O que isto mostra
export-whole = Todas as linhas por trás
to-downloads = Todos os arquivos
downloads-hint = Os arquivos são escritos em segundo plano, de uma só versão dos números, e guardados por alguns dias.
new-export = Novo arquivo
report = Relatório
format = Formato
order-it = Escrever o arquivo
first-rows = Primeiras linhas
your-exports = Os seus arquivos
no-exports = Você ainda não pediu arquivos.
rows = { $count ->
    [one] { $text } linha
   *[other] { $text } linhas
    }
kept-until = guardado até { $time }
download = Baixar
download-checked = Baixado; a soma de verificação está certa.
download-handed-over = O navegador o baixa: compare a soma de verificação.
download-failed = O download foi interrompido. Tente de novo.
stop = Parar
remove = Remover

## Data health

data-health-hint = Quão novos são os dados, o que foi recusado e por quê, e o que espera pelo quê.
last-import = Última importação
quarantined = Registros em quarentena
quarantined-hint = Registros recusados não contam em lugar nenhum. Corrija a origem e importe de novo, ou tente-os aqui outra vez quando houver o que lhes faltava.
nothing-quarantined = Nada está em quarentena.
replay = Tentar de novo
replayed = Aceitos: { $accepted }. Ainda em quarentena: { $rejected }.
waiting-records = Registros à espera
waiting-hint = Registros que vieram antes daquilo a que se referem contam assim que isso chegar.
nothing-waits = Nada espera.
missing-thing = O que falta
field = Campo
reason = Motivo
kind = Tipo
batch = Lote e posição
received = Recebido
record = Registro
show-record = Mostrar

## Audit

audit-hint = Quem leu o quê, o mais recente primeiro. A sua leitura também é auditada.
when = Quando
who = Quem
roles = Funções
called = Chamada
outcome = Resultado
rows-title = Linhas
asked = Pedido
not-before = Não antes de
before = Antes de
