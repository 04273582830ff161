// The few words that the widget says, in the language of the page around it.

const KEYS = ["label", "post", "video", "album", "picture", "close", "back", "on", "link", "of"] as const;
type Key = (typeof KEYS)[number];

// In the order of KEYS. Numbers stand where no language bends a word after them.
const SPOKEN: Readonly<Record<string, string>> = {
  en: "Instagram posts|Post of {0}|Video|Album ({0})|Picture|Close|Previous|Next|View on Instagram|{0} of {1}",
  de: "Instagram-Beiträge|Beitrag vom {0}|Video|Album ({0})|Bild|Schließen|Zurück|Weiter|Auf Instagram ansehen|{0} von {1}",
  fr: "Publications Instagram|Publication du {0}|Vidéo|Album ({0})|Image|Fermer|Précédent|Suivant|Voir sur Instagram|{0} sur {1}",
  es: "Publicaciones de Instagram|Publicación del {0}|Vídeo|Álbum ({0})|Imagen|Cerrar|Anterior|Siguiente|Ver en Instagram|{0} de {1}",
  it: "Post di Instagram|Post del {0}|Video|Album ({0})|Immagine|Chiudi|Precedente|Successivo|Vedi su Instagram|{0} di {1}",
  pt: "Publicações do Instagram|Publicação de {0}|Vídeo|Álbum ({0})|Imagem|Fechar|Anterior|Seguinte|Ver no Instagram|{0} de {1}",
  nl: "Instagram-berichten|Bericht van {0}|Video|Album ({0})|Afbeelding|Sluiten|Vorige|Volgende|Bekijk op Instagram|{0} van {1}",
  pl: "Posty z Instagrama|Post z {0}|Film|Album ({0})|Zdjęcie|Zamknij|Poprzedni|Następny|Zobacz na Instagramie|{0} z {1}",
  tr: "Instagram gönderileri|{0} tarihli gönderi|Video|Albüm ({0})|Fotoğraf|Kapat|Önceki|Sonraki|Instagram’da gör|{0} / {1}",
  uk: "Дописи з Instagram|Допис від {0}|Відео|Альбом ({0})|Зображення|Закрити|Назад|Далі|Переглянути в Instagram|{0} з {1}",
  ja: "Instagramの投稿|{0}の投稿|動画|アルバム ({0})|画像|閉じる|前へ|次へ|Instagramで見る|{0} / {1}",
  ar: "منشورات إنستغرام|منشور بتاريخ {0}|فيديو|ألبوم ({0})|صورة|إغلاق|السابق|التالي|عرض على إنستغرام|{0} من {1}",
};

export interface Words {
  readonly language: string;
  say(key: Key, ...values: readonly (string | number)[]): string;
  day(iso: string): string;
}

// The page says its language by `lang`, on the element or around it; where it does not, the browser's counts.
export function wordsFor(place: Element): Words {
  const wanted = [place.closest("[lang]")?.getAttribute("lang") ?? "", ...navigator.languages];
  const code = (tag: string): string => tag.toLowerCase().split("-")[0] ?? "";
  const known = wanted.find((tag) => code(tag) in SPOKEN) ?? "en";
  const words = (SPOKEN[code(known)] ?? "").split("|");
  const shown = (value: string | number): string => (typeof value === "number" ? value.toLocaleString(known) : value);
  return {
    language: known,
    say: (key, ...values) =>
      (words[KEYS.indexOf(key)] ?? "").replace(/\{(\d)\}/g, (whole, at: string) => shown(values[Number(at)] ?? whole)),
    day: (iso) => new Date(iso).toLocaleDateString(known, { day: "numeric", month: "long", year: "numeric" }),
  };
}
