/**
 * Where a number's telephone may be, by what its digits tell: all zones of a country, or of an area of North America. A mobile
 * telephone may have been carried elsewhere; nothing in a number says so. By the numbering plans as they stand, of which
 * https://www.nationalnanpa.com has North America's and https://www.itu.int/rec/T-REC-E.164 the countries'.
 */
export function zonesOf(number: string): readonly string[] | undefined {
  const digits = number.replace('+', '')
  if (digits.startsWith('1')) return zonesOfArea(digits.slice(1, 4))
  for (const length of [3, 2, 1]) {
    const zones = countries[digits.slice(0, length)]
    if (zones !== undefined) return zones.split(' ')
  }
  return undefined
}

/** Numbers that belong to no place. */
const placeless = /^(5\d\d|800|822|833|844|855|866|877|888|900)$/

const [eastern, central, mountain, pacific] = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
]
/** Of an area that is not listed, for areas are added every year: it is between the coasts, as nearly all of them are. */
const between = [eastern, central, mountain, pacific]

function zonesOfArea(area: string): readonly string[] | undefined {
  const found = areas.find(([, codes]) => codes.split(/\s+/).includes(area))
  if (found) return found[0].split(' ')
  return placeless.test(area) ? undefined : between
}

const areas: readonly (readonly [zones: string, codes: string])[] = [
  [
    eastern,
    `201 202 203 207 212 215 216 220 223 226 227 229 231 234 239 240 248 249 252 260 263 267 269 272 276 283 289 301 302
    304 305 313 315 317 321 324 326 329 330 332 336 339 343 347 351 352 354 363 365 367 380 382 386 401 404 407 410 412
    413 416 418 419 434 436 437 438 440 443 445 450 463 470 472 475 478 484 502 508 513 514 516 517 518 519 540 548 551
    561 567 570 571 579 581 582 585 586 603 607 609 610 613 614 616 617 624 631 640 645 646 647 656 667 678 680 681 683
    686 689 703 704 705 706 716 717 718 724 727 728 732 734 740 743 753 754 757 762 765 770 771 772 774 781 786 802 803
    804 810 813 814 819 826 828 835 838 839 843 845 848 854 856 857 859 860 862 863 864 865 873 878 904 905 908 910 912
    914 917 919 929 934 937 941 943 947 948 954 959 973 978 980 984 989`,
  ],
  [`${eastern} ${central}`, '219 270 364 423 448 574 606 807 812 850 906 930 931'],
  [
    central,
    `204 205 210 214 217 218 224 225 228 251 254 256 262 274 281 309 312 314 316 318 319 320 325 327 331 334 337 346 353
    361 402 405 409 414 417 430 431 447 464 469 479 501 504 507 512 515 531 534 539 557 563 572 573 580 584 601 608 612
    615 618 629 630 636 641 651 659 660 662 682 708 712 713 715 726 730 731 737 763 769 773 779 806 815 816 817 830 832
    847 861 870 872 901 903 913 918 920 924 936 938 940 945 952 956 972 975 979 985`,
  ],
  [`${central} ${mountain}`, '308 432 605 620 701 785'],
  ['America/Regina', '306 474 639'],
  [mountain, '303 307 368 385 403 406 435 505 575 587 719 720 780 801 825 915 970 983'],
  [`America/Phoenix ${mountain}`, '480 520 602 623 928'],
  [`${mountain} ${pacific}`, '208 236 250 257 458 541 672 778 986'],
  [
    pacific,
    `206 209 213 253 279 310 323 341 350 360 369 408 415 424 425 442 503 509 510 530 559 562 564 604 619 626 628 650 657
    661 669 702 707 714 725 747 760 775 805 818 820 831 837 840 858 909 916 925 949 951 971`,
  ],
  ['America/Anchorage America/Adak', '907'],
  ['Pacific/Honolulu', '808'],
  ['America/Halifax', '428 506 782 902'],
  ['America/St_Johns America/Halifax', '709 879'],
  ['America/Iqaluit America/Rankin_Inlet America/Yellowknife America/Whitehorse', '867'],
  ['America/Nassau', '242'],
  ['Atlantic/Bermuda', '441'],
  ['America/Grand_Turk', '649'],
  ['America/Panama', '345 658 876'],
  ['America/Puerto_Rico', '246 264 268 284 340 473 664 721 758 767 784 787 809 829 849 868 869 939'],
  ['Pacific/Guam', '670 671'],
  ['Pacific/Pago_Pago', '684'],
]

/** Those of several zones by the ones at the edges: what is within the hours there is so between them. */
const countries: Readonly<Record<string, string>> = {
  20: 'Africa/Cairo',
  27: 'Africa/Johannesburg',
  30: 'Europe/Athens',
  31: 'Europe/Amsterdam',
  32: 'Europe/Brussels',
  33: 'Europe/Paris',
  34: 'Europe/Madrid Atlantic/Canary',
  36: 'Europe/Budapest',
  39: 'Europe/Rome',
  40: 'Europe/Bucharest',
  41: 'Europe/Zurich',
  43: 'Europe/Vienna',
  44: 'Europe/London',
  45: 'Europe/Copenhagen',
  46: 'Europe/Stockholm',
  47: 'Europe/Oslo',
  48: 'Europe/Warsaw',
  49: 'Europe/Berlin',
  51: 'America/Lima',
  52: 'America/Mexico_City America/Tijuana America/Cancun',
  53: 'America/Havana',
  54: 'America/Argentina/Buenos_Aires',
  55: 'America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha',
  56: 'America/Santiago Pacific/Easter America/Punta_Arenas',
  57: 'America/Bogota',
  58: 'America/Caracas',
  60: 'Asia/Kuala_Lumpur',
  61: 'Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth',
  62: 'Asia/Jakarta Asia/Makassar Asia/Jayapura',
  63: 'Asia/Manila',
  64: 'Pacific/Auckland',
  65: 'Asia/Singapore',
  66: 'Asia/Bangkok',
  7: 'Europe/Kaliningrad Europe/Moscow Asia/Yekaterinburg Asia/Novosibirsk Asia/Vladivostok Asia/Kamchatka',
  77: 'Asia/Almaty',
  81: 'Asia/Tokyo',
  82: 'Asia/Seoul',
  84: 'Asia/Ho_Chi_Minh',
  86: 'Asia/Shanghai',
  90: 'Europe/Istanbul',
  91: 'Asia/Kolkata',
  92: 'Asia/Karachi',
  93: 'Asia/Kabul',
  94: 'Asia/Colombo',
  95: 'Asia/Yangon',
  98: 'Asia/Tehran',
  212: 'Africa/Casablanca',
  213: 'Africa/Algiers',
  216: 'Africa/Tunis',
  218: 'Africa/Tripoli',
  233: 'Africa/Accra',
  234: 'Africa/Lagos',
  251: 'Africa/Addis_Ababa',
  254: 'Africa/Nairobi',
  255: 'Africa/Dar_es_Salaam',
  256: 'Africa/Kampala',
  351: 'Europe/Lisbon Atlantic/Azores',
  352: 'Europe/Luxembourg',
  353: 'Europe/Dublin',
  354: 'Atlantic/Reykjavik',
  355: 'Europe/Tirane',
  356: 'Europe/Malta',
  357: 'Asia/Nicosia',
  358: 'Europe/Helsinki',
  359: 'Europe/Sofia',
  370: 'Europe/Vilnius',
  371: 'Europe/Riga',
  372: 'Europe/Tallinn',
  373: 'Europe/Chisinau',
  374: 'Asia/Yerevan',
  375: 'Europe/Minsk',
  376: 'Europe/Andorra',
  377: 'Europe/Monaco',
  378: 'Europe/San_Marino',
  380: 'Europe/Kiev',
  381: 'Europe/Belgrade',
  382: 'Europe/Podgorica',
  385: 'Europe/Zagreb',
  386: 'Europe/Ljubljana',
  387: 'Europe/Sarajevo',
  389: 'Europe/Skopje',
  420: 'Europe/Prague',
  421: 'Europe/Bratislava',
  423: 'Europe/Vaduz',
  501: 'America/Belize',
  502: 'America/Guatemala',
  503: 'America/El_Salvador',
  504: 'America/Tegucigalpa',
  505: 'America/Managua',
  506: 'America/Costa_Rica',
  507: 'America/Panama',
  509: 'America/Port-au-Prince',
  591: 'America/La_Paz',
  593: 'America/Guayaquil Pacific/Galapagos',
  595: 'America/Asuncion',
  598: 'America/Montevideo',
  852: 'Asia/Hong_Kong',
  853: 'Asia/Macau',
  855: 'Asia/Phnom_Penh',
  856: 'Asia/Vientiane',
  880: 'Asia/Dhaka',
  886: 'Asia/Taipei',
  960: 'Indian/Maldives',
  961: 'Asia/Beirut',
  962: 'Asia/Amman',
  963: 'Asia/Damascus',
  964: 'Asia/Baghdad',
  965: 'Asia/Kuwait',
  966: 'Asia/Riyadh',
  967: 'Asia/Aden',
  968: 'Asia/Muscat',
  971: 'Asia/Dubai',
  972: 'Asia/Jerusalem',
  973: 'Asia/Bahrain',
  974: 'Asia/Qatar',
  975: 'Asia/Thimphu',
  976: 'Asia/Ulaanbaatar Asia/Hovd',
  977: 'Asia/Kathmandu',
  992: 'Asia/Dushanbe',
  993: 'Asia/Ashgabat',
  994: 'Asia/Baku',
  995: 'Asia/Tbilisi',
  996: 'Asia/Bishkek',
  998: 'Asia/Tashkent',
}
