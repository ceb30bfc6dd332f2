"""Who comes in (来访): one Door for each kind of visitor; Flask is known from here up and nowhere below."""
