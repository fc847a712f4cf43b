package mutant

// distroEnvelope are the mutants of LD-ENV-*.
func distroEnvelope() []Mutant {
	return []Mutant{
		{
			ID:    "ld-422-without-error",
			Title: "a 422 has filter_errors but no error",
			Doc:   "The handler of business rules builds its own body and forgets the common members.",
			Kills: []string{"LD-ENV-01", "LD-ENV-06"},
			Apply: answers(all(anything, with(422)), drop("error")),
		},
		{
			ID:    "ld-error-object",
			Title: "the error of a 422 is an object with code and text",
			Doc:   "Another service's envelope, in which error is an object, shows through.",
			Kills: []string{"LD-ENV-01", "LD-ENV-06"},
			Apply: answers(all(anything, with(422)), rewrite("error", func(old string) any {
				return map[string]any{"code": old, "text": "refused"}
			})),
		},
		{
			ID:    "ld-error-empty",
			Title: "the error of a 422 is an empty string",
			Doc:   "A table of identifiers lacks an entry, and its zero value is sent.",
			Kills: []string{"LD-ENV-01", "LD-ENV-06"},
			Apply: answers(all(anything, with(422)), set("error", "")),
		},
		{
			ID:    "ld-404-lookup-as-text",
			Title: "a lookup that finds nothing is answered in plain text",
			Doc:   "The framework's own 404 answers for one endpoint.",
			Kills: []string{"LD-ENV-01", "LD-LOOK-03"},
			Apply: answers(all(on(lookup), with(404)), text("text/plain; charset=utf-8", "404 page not found\n")),
		},
		{
			ID:    "ld-lookup-400-detail",
			Title: "a lookup without a criterion is a 400 with detail, and no error",
			Doc:   "The endpoint is younger, and speaks the problem details of RFC 9457.",
			Kills: []string{"LD-ENV-01", "LD-ENV-06", "LD-LOOK-03"},
			Apply: answers(all(on(lookup), with(400)), object(func(o map[string]any) {
				clear(o)
				o["title"], o["detail"] = "Bad Request", "Give a criterion"
			})),
		},
		{
			ID:    "ld-400-without-message",
			Title: "a 400 has field_errors but no message",
			Doc:   "Whoever wrote the endpoint thought that field_errors say it all.",
			Kills: []string{"LD-ENV-02"},
			Apply: answers(all(on(ingest), with(400), containing(`"field":`)), drop("message")),
		},
		{
			ID:    "ld-400-message-null",
			Title: "the message of a 400 is null",
			Doc:   "A nullable column of texts is sent as it is.",
			Kills: []string{"LD-ENV-02"},
			Apply: answers(all(on(ingest), with(400), containing(`"field":`)), set("message", nil)),
		},
		{
			ID:    "ld-ping-400-without-message",
			Title: "a ping's 400 has field_errors but no message",
			Doc:   "Whoever wrote the endpoint thought that field_errors say it all.",
			Kills: []string{"LD-ENV-02", "LD-PING-02"},
			Apply: answers(all(on(ping), with(400)), drop("message")),
		},
		{
			ID:    "ld-wrong-type-without-message",
			Title: "the 400 of a field of the wrong type has no message",
			Doc:   "The decoder finds wrong types, and answers by itself.",
			Kills: []string{"LD-ENV-02"},
			Apply: answers(all(on(ingest), with(400), containing(`"invalid_type"`)), drop("message")),
		},
		{
			ID:    "ld-custom-field-without-message",
			Title: "the 400 of a campaign's missing field has no message",
			Doc:   "The campaign's own fields are checked in another place, by another hand.",
			Kills: []string{"LD-ENV-02"},
			Apply: answers(all(on(ingest), with(400), containing(`"field":"case_type"`)), drop("message")),
		},
		{
			ID:    "ld-duplicate-without-error",
			Title: "the 422 of a duplicate has filter_errors but no error",
			Doc:   "Duplicates are found when the lead is written, and answered from there.",
			Kills: []string{"LD-ENV-01"},
			Apply: answers(all(on(ingest), with(422), containing(`"duplicate"`)), drop("error")),
		},
		{
			ID:    "ld-401-without-message",
			Title: "a 401 has no message",
			Doc:   "The gateway that checks keys has a shorter envelope.",
			Kills: []string{"LD-ENV-03"},
			Apply: answers(all(anything, with(401)), drop("message")),
		},
		{
			ID:    "ld-404-without-message",
			Title: "a 404 has no message",
			Doc:   "There seemed to be nothing to say.",
			Kills: []string{"LD-ENV-03"},
			Apply: answers(all(anything, with(404)), drop("message")),
		},
		{
			ID:    "ld-403-without-message",
			Title: "a 403 has no message",
			Doc:   "Only validation explains itself.",
			Kills: []string{"LD-ENV-03"},
			Apply: answers(all(anything, with(403)), drop("message")),
		},
		{
			ID:    "ld-422-message-empty",
			Title: "the message of a 422 is blank",
			Doc:   "A translation is missing.",
			Kills: []string{"LD-ENV-03"},
			Apply: answers(all(anything, with(422)), set("message", " ")),
		},
		{
			ID:    "ld-errors-labelled-text",
			Title: "refusals are JSON labelled text/plain",
			Doc:   "Go's http.Error sets the type of everything that it writes.",
			Kills: []string{"LD-ENV-04"},
			Apply: answers(all(anything, with(400, 401, 403, 404, 422)), header("Content-Type", "text/plain; charset=utf-8")),
		},
		{
			ID:    "ld-pings-unlabelled",
			Title: "the answer to a ping has no Content-Type of its own",
			Doc:   "The type is left to be guessed from the first bytes.",
			Kills: []string{"LD-ENV-04"},
			Apply: answers(on(ping), header("Content-Type", "application/octet-stream")),
		},
		{
			ID:    "ld-accepted-as-html",
			Title: "an accepted lead is JSON labelled text/html",
			Doc:   "The label of a framework that was made for pages.",
			Kills: []string{"LD-ENV-04"},
			Apply: answers(accepted, header("Content-Type", "text/html; charset=utf-8")),
		},
		{
			ID:    "ld-ping-error-prose",
			Title: "the error of a ping's 400 is a sentence",
			Doc:   "The message of the framework's exception is sent as error.",
			Kills: []string{"LD-ENV-06"},
			Apply: answers(all(on(ping), with(400)), set("error", "Validation failed for the request body")),
		},
		{
			ID:    "ld-error-prose",
			Title: "the error of a 422 is a sentence",
			Doc:   "error and message are taken for the same thing.",
			Kills: []string{"LD-ENV-06"},
			Apply: answers(all(anything, with(422)), set("error", "The lead was rejected.")),
		},
		{
			ID:    "ld-error-upper-case",
			Title: "the error of a 422 is in capitals",
			Doc:   "The name of a constant in the source is sent.",
			Kills: []string{"LD-ENV-06"},
			Apply: answers(all(anything, with(422)), set("error", "LEAD_REJECTED")),
		},
	}
}
