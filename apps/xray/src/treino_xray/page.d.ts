// What a page writes before its script.

/** The sentences of the page of rows: rows_page.py. */
declare const WORDS: { shown: string };
