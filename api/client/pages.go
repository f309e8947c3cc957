package client

// EveryPage follows a list from page to page until the end.
//
//	all, err := client.EveryPage(func(token string) ([]*buoyv1.Network, string, error) {
//		page, err := c.Networks.ListNetworks(ctx, &buoyv1.ListNetworksRequest{PageToken: token})
//		return page.GetNetworks(), page.GetNextPageToken(), err
//	})
func EveryPage[T any](page func(token string) (part []T, next string, err error)) (list []T, err error) {
	for token := ""; ; {
		part, next, err := page(token)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
		if next == "" {
			return list, nil
		}
		token = next
	}
}
