# frozen_string_literal: true

module News
  # Shows articles.
  class ArticlesController < ActionController::Base
    LATEST = ArticleCache.new

    before_action { SeededLeaks.audit(request.path) }

    def show
      id = params[:id].to_i
      render json: { id:, title: LATEST.fetch(id) { Article.find(id).title } }
    end

    def watch
      SeededLeaks.tell_of_edits(params.to_unsafe_h)
      render json: { watching: params[:id].to_i }
    end
  end
end
