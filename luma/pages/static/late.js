// What can be read is painted first; then the page's scripts are fetched and run, in their order.
// In a tab that nobody sees nothing is painted: there they run at once.
{
  const begin = () => {
    for (const waiting of document.querySelectorAll('script[type="late"]')) {
      const script = document.createElement("script");
      const { src } = waiting.dataset;
      script.async = false;
      script.nonce = waiting.nonce;
      if (src) script.src = src;
      else Object.assign(script, { type: "module", text: waiting.text });
      waiting.replaceWith(script);
    }
  };
  if (document.hidden) begin();
  else requestAnimationFrame(() => setTimeout(begin));
}
