"use strict";
// Figures on axes, as a language writes large and small ones. An option can hold no function: it names what it wants as
// {figures: language, words: whether 万 and million may stand in}, and this puts the function there. The page and the
// files that are drawn without one share it.
globalThis.axisFigures = (() => {
  const WORDS = {
    zh: [[1e12, "万亿"], [1e8, "亿"], [1e4, "万"]],
    en: [[1e12, " trillion"], [1e9, " billion"], [1e6, " million"]],
  };
  const MOST = { zh: 1e16, en: 1e15 };
  const grouped = (value) => {
    const [whole, rest] = String(Number(value.toPrecision(10))).split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
  };
  const power = (value) => {
    const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
    const digits = Number((value / 10 ** exponent).toPrecision(3));
    return `${digits === 1 ? "" : digits === -1 ? "-" : `${digits}×`}10{e|${exponent}}`;
  };
  const said = (lang, words) => (value) => {
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-3 && size < (words ? 1e5 : 1e9))) return grouped(value);
    if (!words || size < 1e-3 || size >= MOST[lang] * 0.9995) return power(value);
    const step = WORDS[lang].find(([from]) => size >= from);
    return step ? grouped(value / step[0]) + step[1] : grouped(value);
  };
  const put = (holder) => {
    for (const axis of [holder.xAxis, holder.yAxis].flat()) {
      const wanted = axis?.axisLabel?.formatter;
      if (wanted?.figures) axis.axisLabel.formatter = said(wanted.figures, wanted.words);
    }
  };
  return (option) => {
    put(option.baseOption || option);
    return option;
  };
})();
