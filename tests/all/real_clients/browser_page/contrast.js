// The elements whose own text has a contrast below 4.5 (WCAG 2.2, level AA) to what lies behind.
(() => {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.data.trim());
    if (!text || !element.checkVisibility()) continue;
    const [light, dark] = [parse(getComputedStyle(element).color), behind(element)].map(luminance)
      .sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) poor.push(`${element.tagName} ${element.id} ${element.textContent} ${contrast}`);
  }
  return poor;
})()
