/** How people ask for somebody else in one language: in letters of a to z, with `name0` for a name. */
export interface SpokenLanguage {
  /** Says nothing about what is wanted, wherever it stands. */
  readonly polite: RegExp
  /** Parts two clauses without a sign. */
  readonly and: RegExp
  /** Not now: an appointment, or a story. */
  readonly later: RegExp
  /** Before a wish it makes something else of it. */
  readonly unless: RegExp
  /** After a wish it takes it back. */
  readonly withdrawn: RegExp
  readonly wishes: readonly RegExp[]
  /** All that is said. */
  readonly bare: RegExp
}

const any = (...words: readonly string[]) => `(?:${words.join('|')})`
/** Words that may stand before another, each of them with its space. */
const led = (...words: readonly string[]) => `(?:${any(...words)} )*`
const words = (text: string) => any(...text.split(' ').map(word => word.replaceAll('_', ' ')))
const within = (pattern: string) => new RegExp(`\\b${pattern}\\b`)
const everywhere = (pattern: string) => new RegExp(`\\b${pattern}\\b`, 'g')
const all = (pattern: string) => new RegExp(`^${pattern}$`)

const english = (() => {
  const person = `${led('a', 'an', 'the', 'your', 'some', 'another', 'any', 'real', 'live', 'actual', 'human', 'living')}${words('person human human_being being agent operator representative rep receptionist manager supervisor employee staff_member staff member_of_staff member_of_your_staff customer_service customer_support')}`
  const name = `${led('the', 'your', 'a', 'an', '(?:someone|somebody|anyone|anybody) (?:in|at|from)')}name\\d+\\b(?! s\\b)`
  const anybody = '(?:someone|somebody|anyone|anybody)(?: else)?$'
  const who = any(name, person, anybody)
  const want = `(?:${words('is_it_possible i_wish i_want i_need i_would_like i_d_like i_would_love i_d_love i_would_prefer i_d_prefer i_prefer i_have')} to|${words('i_wanna i_must i_would_rather i_d_rather can_i could_i may_i can_we could_we let_me')})`
  const reach = `${words('speak talk chat be_connected get_connected be_transferred be_put_through get_through')}(?: (?:to|with))+`
  return {
    polite: everywhere(
      words(
        'please thank_you thanks just okay ok now right_now actually sorry hello_there hi_there hey_there hello hi hey um uh well yes yeah',
      ),
    ),
    and: everywhere(words('and but so then because')),
    later: within(
      any(
        words(
          'tomorrow yesterday later last ago next_week next_month monday tuesday wednesday thursday friday saturday sunday tonight this_morning this_afternoon this_evening before',
        ),
        `at ${any('\\d+', words('one two three four five six seven eight nine ten eleven twelve noon'))}`,
        'on the \\d+(?:st|nd|rd|th)',
      ),
    ),
    unless: within(
      any(
        // Who tells what was done.
        '^you(?= $)',
        'you can t',
        words(
          'no_need no_reason no_one nobody stop avoid refuse refuses refused unable cannot rather_than every_time if when why whether how do did does don not never should said says told asked wanted tried think thought he she they who instead without',
        ),
      ),
    ),
    withdrawn: within(
      any('no$', words('no_wait wait_no never_mind nevermind forget_it forget_that cancel_that rather_not')),
    ),
    wishes: [
      within(`${want} ${reach} ${who}`),
      within(
        `${words('connect transfer put patch forward pass switch redirect send')} (?:me|us)(?: (?:through|over|on|back))?(?: (?:to|with)) ${who}`,
      ),
      within(`${words('give get find')} me ${any(`${name}$`, `${person}$`, anybody)}`),
      within(`i (?:want|need|would like|d like) ${person}$`),
      within(
        `is there ${any(person, 'someone', 'somebody', 'anyone', 'anybody')} (?:(?:that|who) )?i can (?:speak|talk) (?:to|with)$`,
      ),
    ],
    bare: all(any(`(?:no )?${person}`, `${reach} ${who}`)),
  }
})()

const german = (() => {
  const article = led('ein', 'eine', 'einer', 'einem', 'einen', 'der', 'die', 'dem', 'den', 'das', 'ihrer', 'ihrem')
  const real = led('echte[nrm]?', 'richtige[nrm]?', 'wirkliche[nrm]?', 'lebende[nrm]?', 'menschliche[nrm]?')
  const person = `${article}${real}${words('mensch menschen person mitarbeiter mitarbeiterin mitarbeitern berater beraterin kollegen kollegin ansprechpartner kundendienst kundenservice zentrale vermittlung vorgesetzten')}`
  const who = any(`${article}name\\d+`, person, words('jemand jemandem jemanden irgendjemand irgendjemandem irgendwem'))
  const to = '(?:mit|zu|zur|zum|an)'
  return {
    polite: everywhere(words('bitte danke mal gern gerne jetzt kurz einfach doch lieber hallo guten_tag ja also')),
    and: everywhere(words('und aber denn weil')),
    later: within(
      words(
        'morgen gestern spater vorhin neulich nachste_woche nachsten_woche letzte_woche montag dienstag mittwoch donnerstag freitag samstag sonntag',
      ),
    ),
    unless: within(
      words('nicht nie kein keinen keine wenn falls ob warum wieso wann wie soll sollte ohne hat hatte_gesagt'),
    ),
    withdrawn: within(any('nein$', 'nicht$', words('vergessen_sie vergiss schon_gut'))),
    wishes: [
      within(
        `(?:ich ${words('mochte will wurde muss hatte')}|${words('kann konnte durfte darf')} ich) (?:${to} )?${who} ${words('sprechen reden telefonieren gesprochen verbunden_werden')}`,
      ),
      within(`(?:verbinden sie|verbinde|verbind) mich ${to} ${who}`),
      within(`(?:stellen sie|stelle?) mich ${to} ${who} durch`),
      within(`(?:leiten sie|leite?) mich ${to} ${who} weiter`),
      within(
        `${words('konnen konnten wurden kannst konntest')} (?:sie|du) mich ${to} ${who} ${words('verbinden durchstellen weiterleiten weiterverbinden')}`,
      ),
      within(`(?:geben sie|gib) mir ${any(`${article}name\\d+`, person)}$`),
      within(`ich ${words('will mochte brauche')} ${person}$`),
    ],
    bare: all(`(?:nein )?${person}`),
  }
})()

const french = (() => {
  const article = led('un', 'une', 'le', 'la', 'l', 'les', 'votre', 'vos')
  const person = `${article}${led('vrai', 'vraie', 'etre', 'autre')}${words('humain humaine personne conseiller conseillere agent operateur operatrice employe employee responsable standardiste receptionniste')}`
  const name = `${led('un', 'une', 'le', 'la', 'l', 'les', 'votre', 'service', 'departement', 'de', 'd')}name\\d+`
  const who = any(name, person, 'quelqu un')
  const to = '(?:a|au|aux|avec|vers)'
  return {
    polite: everywhere(words('s_il_vous_plait s_il_te_plait svp merci maintenant bonjour juste plutot oui alors')),
    and: everywhere(words('et mais car')),
    later: within(
      words(
        'demain hier plus_tard tout_a_l_heure ce_matin cet_apres_midi ce_soir la_semaine_prochaine lundi mardi mercredi jeudi vendredi samedi dimanche',
      ),
    ),
    unless: within(words('ne n pas jamais si pourquoi quand comment sans')),
    withdrawn: within(any('non$', words('laissez_tomber laisse_tomber oubliez oublie pas_la_peine'))),
    wishes: [
      within(
        `(?:je ${words('veux voudrais souhaite souhaiterais desire prefere prefererais peux pourrais')}|j aimerais|j ai besoin de|puis je|pourrais je|laissez moi) ${words('parler discuter etre_mis_en_relation')} ${to} ${who}`,
      ),
      within(
        `${words('passez passe mettez mets transferez transfere connectez')} moi(?: en (?:relation|contact|ligne))?(?: ${to})? ${who}`,
      ),
      within(
        `${words('pouvez pourriez peux pourrais')} (?:vous|tu) me ${words('passer mettre_en_relation mettre_en_contact mettre_en_ligne transferer connecter')}(?: ${to})? ${who}`,
      ),
    ],
    bare: all(`(?:non )?${person}`),
  }
})()

const spanish = (() => {
  const person = `${led('una', 'un', 'la', 'el', 'otra', 'otro', 'ser')}${words('persona humano humana agente operador operadora representante asesor asesora empleado empleada encargado encargada gerente recepcionista')}(?: (?:real|humana|humano|de verdad))?`
  const name = `${led('el', 'la', 'los', 'las', 'departamento', 'area', 'oficina', 'servicio', 'de')}name\\d+`
  const who = any(name, person, 'alguien')
  const to = '(?:con|a|al)'
  return {
    polite: everywhere(words('por_favor gracias hola buenos_dias buenas_tardes ahora_mismo ahora ya pues')),
    and: everywhere(words('y pero porque')),
    later: within(
      words(
        'manana ayer luego mas_tarde antes esta_tarde esta_noche la_semana_que_viene lunes martes miercoles jueves viernes sabado domingo',
      ),
    ),
    unless: within(words('no nunca si cuando por_que sin como tengo_que')),
    withdrawn: within(any('no$', words('olvidelo olvidalo dejelo dejalo mejor_no'))),
    wishes: [
      within(
        `${words('quiero quisiera querria me_gustaria necesito deseo prefiero preferiria puedo podria dejeme dejame')} hablar con ${who}`,
      ),
      within(
        `${words('paseme pasame comuniqueme comunicame conecteme conectame pongame ponme transfierame transfiereme')} ${to} ${who}`,
      ),
      within(
        `${words('puede podria puedes podrias')} (?:me )?${words('pasar comunicar poner conectar transferir')}(?:me)? ${to} ${who}`,
      ),
    ],
    bare: all(`(?:no )?${person}`),
  }
})()

const italian = (() => {
  const person = `${led('una', 'un', 'la', 'il', 'l', 'altra', 'altro', 'vera', 'vero', 'essere')}${words('persona umano umana operatore operatrice addetto addetta responsabile impiegato impiegata consulente')}(?: (?:vera|vero|reale|umana|umano))?`
  const name = `${led('la', 'il', 'l', 'lo', 'vostra', 'vostro', 'ufficio', 'reparto', 'della', 'di')}name\\d+`
  const who = any(name, person, 'qualcuno')
  const to = '(?:con|a|al|alla|all|in contatto con|in comunicazione con)'
  return {
    polite: everywhere(words('per_favore per_cortesia grazie buongiorno buonasera salve adesso ora subito allora')),
    and: everywhere(words('e ma perche')),
    later: within(
      words(
        'domani ieri dopo piu_tardi prima stamattina stasera la_prossima_settimana la_settimana_prossima lunedi martedi mercoledi giovedi venerdi sabato domenica',
      ),
    ),
    unless: within(words('non mai se quando come senza devo')),
    withdrawn: within(any('no$', words('lasci_stare lascia_stare non_importa meglio_di_no'))),
    wishes: [
      within(
        `${words('voglio vorrei desidero preferisco preferirei ho_bisogno_di avrei_bisogno_di posso potrei mi_faccia')} parlare con ${who}`,
      ),
      within(`mi ${words('passi passa metta colleghi trasferisca connetta')}(?: ${to})? ${who}`),
      within(`mi (?:puo|potrebbe) ${words('passare trasferire collegare mettere')}(?: ${to})? ${who}`),
      within(
        `${words('puo potrebbe puoi potresti')} ${words('passarmi trasferirmi collegarmi mettermi')}(?: ${to})? ${who}`,
      ),
    ],
    bare: all(`(?:no )?${person}`),
  }
})()

export const spokenLanguages: readonly SpokenLanguage[] = [english, german, french, spanish, italian]
