# O que os conselhos dizem. Os argumentos são nomes, dias, porcentagens como as pessoas as leem e contagens, que decidem as formas das
# palavras: [1] e não [one], em que também caberia o 0. Os dias até um fim contam-se do último dia dos números.

advice-low-adoption = Baixa adoção em { $customer }
    .counted = { $count } { $count ->
        [1] baixa adoção
       *[other] baixas adoções
    }
    .problem = A taxa de adoção de usuários é baixa e muitas licenças não estão sendo usadas.
    .because = { $active } de { $available } licenças disponíveis { $active ->
        [1] foi usada
       *[other] foram usadas
    } nos últimos 28 dias ({ $usage }); { $unassigned } { $unassigned ->
        [1] não está atribuída
       *[other] não estão atribuídas
    } a ninguém, { $idle } { $idle ->
        [1] está atribuída e ociosa
       *[other] estão atribuídas e ociosas
    }.
    .consider = O cliente pode não entender o valor que o software pode fornecer. Ele precisa de ajuda para imaginar as maneiras de incorporá-lo em seu dia a dia, para simplificar as tarefas que já está fazendo ou para permitir novos tipos de produtividade.
    .to-try = Estudos de caso, depoimentos de usuários sobre cenários específicos, blogs tutoriais ou vídeos.
advice-how-to-cases = Muitas perguntas de como fazer de { $customer }
    .counted = { $count } { $count ->
        [1] cliente com perguntas de como fazer
       *[other] clientes com perguntas de como fazer
    }
    .problem = Há um grande volume de pedidos de ajuda e perguntas de como fazer.
    .because = { $how_to } de { $total } casos de suporte { $months ->
        [1] do último mês
       *[other] dos últimos { $months } meses
    } { $how_to ->
        [1] perguntou
       *[other] perguntaram
    } como fazer algo ({ $share }).
    .consider = O cliente pode ser novo no software, na versão do produto ou na tarefa.
    .to-try = Ofereça treinamento, presencial ou online, para aumentar a experiência geral do cliente, e promova as opções de autoatendimento disponíveis para ele.
advice-unassigned-before-renewal = Licenças de { $sku } não atribuídas em { $customer } antes de uma renovação
    .counted = { $count } { $count ->
        [1] renovação com licenças não atribuídas
       *[other] renovações com licenças não atribuídas
    }
    .problem = Licenças que ninguém tem estão para ser renovadas.
    .because = { $unassigned } de { $available } licenças ({ $share }) { $unassigned ->
        [1] não está atribuída
       *[other] não estão atribuídas
    } a ninguém, e a assinatura termina { $days ->
        [0] em { $end }, o último dia destes números
        [1] em 1 dia, em { $end }
       *[other] em { $days } dias, em { $end }
    }.
    .consider = Um cliente que paga por licenças de que não precisa pode renovar menos delas, ou nenhuma.
    .to-try = Fale com o cliente antes da renovação: ajude-o a atribuir as licenças a quem ganharia com elas, com tutoriais para começar, ou renove tantas quantas ele precisa.
advice-idle-seats = Licenças ociosas em { $customer }
    .counted = { $count } { $count ->
        [1] cliente com licenças ociosas
       *[other] clientes com licenças ociosas
    }
    .problem = Muitas pessoas têm uma licença e não a usam.
    .because = { $idle } de { $assigned } licenças atribuídas ({ $share }) { $idle ->
        [1] não foi usada por quem a tem
       *[other] não foram usadas por quem as tem
    } nos últimos 28 dias.
    .consider = Quem as tem pode não saber o que tem, pode ter saído ou pode trabalhar de outra forma.
    .to-try = Peça ao cliente que passe a outros as licenças de quem saiu, e ofereça tutoriais e depoimentos de usuários para as tarefas de quem fica.
advice-trial-ending = A avaliação de { $sku } em { $customer } termina em breve
    .counted = { $count } { $count ->
        [1] avaliação que termina em breve
       *[other] avaliações que terminam em breve
    }
    .problem = Uma avaliação que as pessoas usam está para terminar.
    .because = { $active } { $active ->
        [1] pessoa a usou
       *[other] pessoas a usaram
    } nos últimos 28 dias; termina { $days ->
        [0] em { $end }, o último dia destes números
        [1] em 1 dia, em { $end }
       *[other] em { $days } dias, em { $end }
    }.
    .consider = Quem se habituou a usá-la vai perdê-la nesse dia, a não ser que seja comprada.
    .to-try = Faça uma oferta agora, com o que a avaliação mostrou; um treinamento para a equipe ajuda quem vem a seguir.
advice-seats-nearly-exhausted = As licenças de { $sku } em { $customer } estão quase esgotadas
    .counted = { $count } { $count ->
        [1] SKU quase esgotado
       *[other] SKUs quase esgotados
    }
    .problem = Quase todas as licenças estão atribuídas e em uso: quem vier a seguir fica sem nenhuma.
    .because = { $assigned } { $assigned ->
        [1] licença está atribuída
       *[other] licenças estão atribuídas
    } de { $available } disponíveis, e { $active } { $active ->
        [1] foi usada
       *[other] foram usadas
    } nos últimos 28 dias.
    .consider = O cliente adotou o produto; mais pessoas, ou um plano maior, podem ser o próximo passo.
    .to-try = Ofereça mais licenças ou um plano maior, e treinamento para as pessoas a que se destinam.
advice-steady-decline = O uso em { $customer } cai de forma constante
    .counted = { $count } { $count ->
        [1] queda constante
       *[other] quedas constantes
    }
    .problem = O cliente usa cada vez menos e pode estar para sair.
    .because = As licenças ativas caíram { $months ->
        [1] no último mês
       *[other] nos últimos { $months } meses
    }, de { $before } em { $first_month } para { $now } em { $last_month } (menos { $loss }), e não subiram mais que um pouco nesse tempo.
    .consider = As pessoas podem estar passando para outro produto, ou o cliente pode estar encolhendo.
    .to-try = Fale com o cliente em breve: pergunte o que mudou, e mostre com estudos de caso e treinamento o que o produto faz por outros.
