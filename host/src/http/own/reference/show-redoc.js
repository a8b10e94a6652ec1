// Redoc over this hub's own document, in the colours of the hub's other pages.
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const back = dark ? "#12181a" : "#fbfbf9";
const text = dark ? "#e4eae8" : "#1c2423";

Redoc.init("/openapi.json", {
  hideDownloadButton: true,
  nativeScrollbars: true,
  requiredPropsFirst: true,
  theme: {
    colors: {
      primary: { main: dark ? "#6cc6d9" : "#0b6a7d" },
      text: { primary: text, secondary: dark ? "#93a19e" : "#5d6a68" },
    },
    sidebar: { backgroundColor: dark ? "#1a2225" : "#f1f2ee", textColor: text },
    schema: { nestedBackground: dark ? "#1a2225" : "#f1f2ee" },
    rightPanel: { backgroundColor: dark ? "#0c1113" : "#263238" },
  },
}, document.getElementById("reference"));
document.body.style.backgroundColor = back;
