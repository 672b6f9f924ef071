//! What is copied into a site or a server, with the program's own data in it.

use crate::tracking::script_tag;
use crate::ui::codes::{Codes, Snippet};
use url::Url;

/// The public address and the program that the snippets are for.
#[derive(Debug, Clone)]
pub struct Own<'o> {
    /// How browsers reach this server.
    pub public_url: &'o Url,
    /// The program's public id.
    pub public_id: &'o str,
    /// The program's site.
    pub website: &'o str,
}

impl Own<'_> {
    fn base(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    fn codes(id: &str, title: &'static str, snippets: &[(&'static str, String)]) -> Codes {
        let snippets = snippets
            .iter()
            .map(|(language, text)| Snippet { language, text: text.trim_matches('\n').to_owned() })
            .collect();
        Codes { id: id.to_owned(), title, snippets }
    }

    /// The script tag; `id` tells several on one page apart.
    #[must_use]
    pub fn script(&self, id: &str) -> Codes {
        let tag = script_tag(self.public_url, self.public_id);
        let next = format!(
            "import Script from \"next/script\";\n\n// in app/layout.tsx, inside <body>\n<Script src=\"{}/t/{}.js\" strategy=\"afterInteractive\" />",
            self.base(),
            self.public_id
        );
        Self::codes(id, "The script", &[("HTML", tag), ("Next.js", next)])
    }

    /// Payment Links, buy buttons and pricing tables as they stand on a site: nothing is added to them by hand.
    #[must_use]
    pub fn payment_elements(&self) -> Codes {
        let link = "<a href=\"https://buy.stripe.com/your_link\">Buy</a>".to_owned();
        let button = "<script async src=\"https://js.stripe.com/v3/buy-button.js\"></script>\n<stripe-buy-button\n  buy-button-id=\"buy_btn_…\"\n  publishable-key=\"pk_…\">\n</stripe-buy-button>".to_owned();
        let table = "<script async src=\"https://js.stripe.com/v3/pricing-table.js\"></script>\n<stripe-pricing-table\n  pricing-table-id=\"prctbl_…\"\n  publishable-key=\"pk_…\">\n</stripe-pricing-table>".to_owned();
        Self::codes(
            "elements",
            "Payment elements",
            &[("Payment Link", link), ("Buy button", button), ("Pricing table", table)],
        )
    }

    /// A sign-up told by the browser.
    #[must_use]
    pub fn signup_script(&self) -> Codes {
        let text = format!(
            "<script>\n  window.tributary = window.tributary || function () {{\n    (tributary.q = tributary.q || []).push(arguments)\n  }};\n  // after a sign-up that succeeded\n  tributary(\"signup\", {{\n    key: \"YOUR_USER_ID\",\n    email: \"person@example.com\",\n    name: \"Grace\"\n  }});\n</script>\n{}",
            script_tag(self.public_url, self.public_id)
        );
        Self::codes("signup-script", "A sign-up by script", &[("HTML", text)])
    }

    /// A sign-up told by the merchant's server: stronger than the browser's word.
    #[must_use]
    pub fn signup_server(&self) -> Codes {
        let url = format!("{}/v1/customers", self.base());
        let node = format!(
            "// partner: the value of the cookie tributary_partner\nawait fetch(\"{url}\", {{\n  method: \"POST\",\n  headers: {{\n    authorization: `Bearer ${{process.env.TRIBUTARY_KEY}}`,\n    \"content-type\": \"application/json\",\n  }},\n  body: JSON.stringify({{\n    key: user.id,\n    email: user.email,\n    name: user.name,\n    partner: {{ key: request.cookies.tributary_partner }},\n  }}),\n}});"
        );
        let php = format!(
            "<?php\n$ch = curl_init('{url}');\ncurl_setopt_array($ch, [\n  CURLOPT_POST => true,\n  CURLOPT_RETURNTRANSFER => true,\n  CURLOPT_HTTPHEADER => [\n    'Authorization: Bearer ' . getenv('TRIBUTARY_KEY'),\n    'Content-Type: application/json',\n  ],\n  CURLOPT_POSTFIELDS => json_encode([\n    'key' => $user->id,\n    'email' => $user->email,\n    'name' => $user->name,\n    'partner' => ['key' => $_COOKIE['tributary_partner'] ?? ''],\n  ]),\n]);\ncurl_exec($ch);"
        );
        let python = format!(
            "import os, requests\n\nrequests.post(\n    \"{url}\",\n    headers={{\"Authorization\": f\"Bearer {{os.environ['TRIBUTARY_KEY']}}\"}},\n    json={{\n        \"key\": user.id,\n        \"email\": user.email,\n        \"name\": user.name,\n        \"partner\": {{\"key\": request.cookies.get(\"tributary_partner\")}},\n    }},\n    timeout=10,\n)"
        );
        let ruby = format!(
            "require \"net/http\"\nrequire \"json\"\n\nNet::HTTP.post(\n  URI(\"{url}\"),\n  {{ key: user.id, email: user.email, name: user.name,\n    partner: {{ key: cookies[\"tributary_partner\"] }} }}.to_json,\n  \"Authorization\" => \"Bearer #{{ENV.fetch('TRIBUTARY_KEY')}}\",\n  \"Content-Type\" => \"application/json\"\n)"
        );
        let curl = format!(
            "curl {url} \\\n  -H \"Authorization: Bearer $TRIBUTARY_KEY\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\"key\":\"user_1\",\"email\":\"grace@example.com\",\"partner\":{{\"key\":\"PARTNER_KEY\"}}}}'"
        );
        Self::codes(
            "signup-server",
            "A sign-up by your server",
            &[("Node.js", node), ("PHP", php), ("Python", python), ("Ruby", ruby), ("curl", curl)],
        )
    }

    /// Metadata for Checkout Sessions that the merchant's server makes; `id` tells several on one page apart.
    #[must_use]
    pub fn checkout_metadata(&self, id: &str) -> Codes {
        let site = self.website.trim_end_matches('/');
        let node = format!(
            "const partner = request.cookies.tributary_partner;\nconst metadata = {{ customer_key: user.id, ...(partner && {{ partner_key: partner }}) }};\n\nawait stripe.checkout.sessions.create({{\n  mode: \"subscription\",\n  line_items: [{{ price: \"price_…\", quantity: 1 }}],\n  success_url: \"{site}/thanks\",\n  metadata,\n  subscription_data: {{ metadata }}, // payment_intent_data for single payments\n}});"
        );
        let php = format!(
            "<?php\n$metadata = array_filter([\n  'customer_key' => $user->id,\n  'partner_key' => $_COOKIE['tributary_partner'] ?? null,\n]);\n\n$stripe->checkout->sessions->create([\n  'mode' => 'subscription',\n  'line_items' => [['price' => 'price_…', 'quantity' => 1]],\n  'success_url' => '{site}/thanks',\n  'metadata' => $metadata,\n  'subscription_data' => ['metadata' => $metadata],\n]);"
        );
        let python = format!(
            "metadata = {{\"customer_key\": user.id}}\nif partner := request.cookies.get(\"tributary_partner\"):\n    metadata[\"partner_key\"] = partner\n\nstripe.checkout.Session.create(\n    mode=\"subscription\",\n    line_items=[{{\"price\": \"price_…\", \"quantity\": 1}}],\n    success_url=\"{site}/thanks\",\n    metadata=metadata,\n    subscription_data={{\"metadata\": metadata}},\n)"
        );
        let ruby = format!(
            "metadata = {{ customer_key: user.id, partner_key: cookies[\"tributary_partner\"] }}.compact\n\nStripe::Checkout::Session.create(\n  mode: \"subscription\",\n  line_items: [{{ price: \"price_…\", quantity: 1 }}],\n  success_url: \"{site}/thanks\",\n  metadata: metadata,\n  subscription_data: {{ metadata: metadata }}\n)"
        );
        let curl = format!(
            "curl https://api.stripe.com/v1/checkout/sessions \\\n  -u \"$STRIPE_KEY:\" \\\n  -d mode=subscription \\\n  -d \"line_items[0][price]=price_…\" -d \"line_items[0][quantity]=1\" \\\n  -d success_url={site}/thanks \\\n  -d \"metadata[customer_key]=user_1\" -d \"metadata[partner_key]=PARTNER_KEY\" \\\n  -d \"subscription_data[metadata][customer_key]=user_1\""
        );
        Self::codes(
            id,
            "Metadata of a Checkout Session",
            &[("Node.js", node), ("PHP", php), ("Python", python), ("Ruby", ruby), ("curl", curl)],
        )
    }

    /// Calls of the REST API, with a title each.
    #[must_use]
    pub fn calls(&self, partner_key: &str) -> Vec<(&'static str, Codes)> {
        let base = self.base();
        let auth = "-H \"Authorization: Bearer $TRIBUTARY_KEY\"";
        let json = "-H \"Content-Type: application/json\"";
        let call =
            |id: &str, title: &'static str, text: String| (title, Self::codes(id, title, &[("curl", text)]));
        vec![
            call("call-test", "Try the key", format!("curl {base}/v1/test \\\n  {auth}")),
            call(
                "call-partner",
                "Make a partner",
                format!(
                    "curl {base}/v1/partners \\\n  {auth} \\\n  {json} \\\n  -d '{{\"email\":\"ada@example.com\",\"name\":\"Ada\"}}'"
                ),
            ),
            call(
                "call-read",
                "Read a partner",
                format!("curl {base}/v1/partners/{partner_key} \\\n  {auth}"),
            ),
            call(
                "call-customer",
                "Tell of a sign-up",
                format!(
                    "curl {base}/v1/customers \\\n  {auth} \\\n  {json} \\\n  -d '{{\"key\":\"user_1\",\"email\":\"grace@example.com\",\"partner\":{{\"key\":\"{partner_key}\"}}}}'"
                ),
            ),
        ]
    }
}
